#pragma once

// Changes in the order in which a reader may stop and go on: by version, each with the cursor
// behind it. Going on from any line's cursor loses nothing; within one commit the cursor stays at
// the commit before it, so that a group is repeated rather than halved.
//
// Safety: a delta tells each key at its latest. All keys whose latest change is at or below a
// version were told when that version's last line was, so everything after that cursor is news.

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/record.h"

namespace waggle::cli {

struct FeedItem {
  Change change;
  Cursor behind;  // go on from here after this item
};

// The changes of (from, to] whose keys begin with `prefix`; the cursor of the last one is
// its own commit, and `to` is the cursor after all of them. When the epoch changed in between, it
// counts from 0 of the new one: the old revision may be above the new ones.
[[nodiscard]] std::vector<FeedItem> feed_order(std::vector<Change> changes, const Cursor& from,
                                               const Cursor& to, const std::string& prefix);

}  // namespace waggle::cli
