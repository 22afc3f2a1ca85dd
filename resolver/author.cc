#include "resolver/author.h"

#include <algorithm>

namespace waggle {

bool Author::own(const Writer& writer) const {
  if (writer.agent != agent) return false;
  return std::any_of(own_through.begin(), own_through.end(), [&](const OwnThrough& through) {
    return through.incarnation == writer.incarnation && writer.seq <= through.seq;
  });
}

bool Author::seen_dot(const Dot& dot) const {
  return dot.revision <= seen || own(dot.writer);
}

bool Author::seen_all(const Dots& dots) const {
  return std::all_of(dots.begin(), dots.end(), [this](const Dot& dot) { return seen_dot(dot); });
}

bool Author::concurrent_with(const Record& record) const {
  return record.version > seen && !own(record.writer);
}

bool drop_seen(Dots& dots, const Author& author) {
  return std::erase_if(dots, [&](const Dot& dot) { return author.seen_dot(dot); }) > 0;
}

}  // namespace waggle
