#include "cli/feed.h"

#include <algorithm>

namespace waggle::cli {

std::vector<FeedItem> feed_order(std::vector<Change> changes, const Cursor& from, const Cursor& to,
                                 const std::string& prefix) {
  std::erase_if(changes,
                [&](const Change& change) { return !change.key.value().starts_with(prefix); });
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return a.record->version < b.record->version;
  });
  std::vector<FeedItem> items;
  items.reserve(changes.size());
  Cursor behind = from.epoch == to.epoch ? from : Cursor{to.epoch, Revision(0)};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Revision version = changes[i].record->version;
    const bool commit_ends = i + 1 == changes.size() || changes[i + 1].record->version != version;
    if (commit_ends && version > behind.revision) behind = {to.epoch, version};
    items.push_back({std::move(changes[i]), behind});
  }
  return items;
}

}  // namespace waggle::cli
