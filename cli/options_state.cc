// The family `waggle state`: what its commands take. Writes are rows of one table.

#include <fmt/format.h>

#include "cli/op_words.h"
#include "cli/option_parts.h"

namespace waggle::cli {
namespace {

// What a write takes behind its key; positional parts in the order of the row.
enum class Part {
  kValue,       // [VALUE] --file --type text|json|bytes
  kPatch,       // [PATCH] --file
  kBeside,      // --beside
  kStep,        // [AMOUNT] of a counter
  kCountOrOne,  // [COUNT]
  kElements,    // ELEMENT...
  kScalar,      // VALUE --kind
  kName,        // FIELD
  kNameType,    // --type of a field
  kAt,          // AT --list --as-of
  kInserted,    // TEXT, or with --list ELEMENT...
  kList,        // --list
  kType,        // --type, of types_of(verb)
  kField,       // --field
  kIfVersion,   // --if-version
  kIfAbsent,    // --if-absent
  kEphemeral,   // --ephemeral
};

struct WriteRow {
  const char* verb;
  const char* about;
  std::vector<Part> parts;
  const char* footer;
};

const std::vector<WriteRow>& write_rows() {
  using enum Part;
  static const std::vector<WriteRow> kRows = {
      {"put",
       "Write a value",
       {kValue, kBeside, kField, kIfVersion, kIfAbsent, kEphemeral},
       "Prints the new version, which is also the revision of the swarm; of an ephemeral "
       "key\nnothing."},
      {"patch",
       "Change a part of a JSON document",
       {kPatch, kField, kIfVersion, kIfAbsent},
       "PATCH is an object, which is merged into the document and removes with null (RFC 7396),\n"
       "or a list of operations (RFC 6902). It is applied to what stands, and written only where\n"
       "nobody else wrote in between; else it is applied anew, unless --if-version says to what.\n"
       "  waggle state patch plan '{\"status\":\"done\",\"owner\":null}'\n"
       "  waggle state patch plan '[{\"op\":\"add\",\"path\":\"/steps/-\",\"value\":\"test\"}]'"},
      {"rm", "Delete a key", {kIfVersion, kEphemeral}, ""},
      {"incr",
       "Add to a counter",
       {kStep, kType, kField, kIfVersion, kIfAbsent},
       "Prints the new revision, as every write does; state get prints the counter.\n"
       "  waggle state incr visits 3\n"
       "  waggle state incr fuel 10 --type bounded-counter    never goes below zero"},
      {"reset",
       "Set a resettable counter back",
       {kField, kIfVersion},
       "Takes away what is there now; what others add at the same time stays.\n"
       "  waggle state reset errors"},
      {"add",
       "Add elements to a set",
       {kElements, kType, kField, kIfVersion, kIfAbsent},
       "  waggle state add tags red round\n"
       "  waggle state add revoked key-7 --type remove-wins-set"},
      {"remove",
       "Remove elements from a set",
       {kElements, kType, kField, kIfVersion},
       "  waggle state remove tags red"},
      {"max",
       "Raise a maximum",
       {kScalar, kField, kIfVersion, kIfAbsent},
       "  waggle state max best 7.5\n"
       "  waggle state max newest 2026-03-01 --kind bytes"},
      {"min",
       "Lower a minimum",
       {kScalar, kField, kIfVersion, kIfAbsent},
       "  waggle state min fastest 12"},
      {"once",
       "Raise a flag that is never lowered",
       {kField, kIfVersion, kIfAbsent},
       "  waggle state once migrated"},
      {"on",
       "Turn a flag on",
       {kType, kField, kIfVersion, kIfAbsent},
       "Of an enable-flag on wins over an off at the same time, of a disable-flag off.\n"
       "  waggle state on alarm"},
      {"off",
       "Turn a flag off",
       {kType, kField, kIfVersion, kIfAbsent},
       "  waggle state off permitted --type disable-flag"},
      {"setfield",
       "Write a field of a map",
       {kName, kValue, kField, kIfVersion, kIfAbsent},
       "FIELD is a name, or a path when it begins with '/'; then ~1 is '/' and ~0 is '~'.\n"
       "  waggle state setfield ada mood happy\n"
       "  waggle state setfield ada /home/city Ulm\n"
       "Other types of fields: --field of the other commands, such as\n"
       "  waggle state incr ada --field visits"},
      {"rmfield",
       "Remove a field of a map",
       {kName, kNameType, kField, kIfVersion},
       "Without --type the fields of every type that have the name.\n"
       "  waggle state rmfield ada mood"},
      {"insert",
       "Insert into a text or a list",
       {kAt, kInserted, kField, kIfVersion, kIfAbsent},
       "AT counts unicode scalar values (of a list elements) from 0, in the newest state or in\n"
       "that of --as-of; what others insert or erase at the same time is reckoned in.\n"
       "  waggle state insert song 0 'hum '\n"
       "  waggle state insert tasks 2 wax comb --list"},
      {"erase",
       "Erase a part of a text or a list",
       {kAt, kCountOrOne, kField, kIfVersion},
       "AT counts unicode scalar values (of a list elements) from 0.\n"
       "  waggle state erase song 0 4\n"
       "  waggle state erase tasks 2 --list"},
      {"append",
       "Insert at the end of a text or a list",
       {kList, kInserted, kField, kIfVersion, kIfAbsent},
       "Reads the key first, and means the end that it read.\n"
       "  waggle state append song ' and hum'\n"
       "  waggle state append tasks brood --list"},
  };
  return kRows;
}

void read_name(CommandLine::State& state, const std::string& text) {
  Result<std::vector<std::string>> path = field_path(text);
  if (!path) throw CLI::ValidationError("FIELD", path.error().text);
  state.name = *std::move(path);
}

// Declares the commands. What outlives it, as the options do, refers to the CommandLine only.
class StateFamily {
 public:
  StateFamily(CLI::App& family, CommandLine& line, Commands& commands)
      : family_(family), state_(line.state), commands_(commands) {}

  void declare() {
    CLI::App& get = add(Verb::kStateGet, "get", "Print a value as it is");
    key(get);
    field(get);
    at_least(get);
    for (const WriteRow& row : write_rows()) declare(row);
    CLI::App& ls = add(Verb::kStateList, "ls", "List keys");
    ls.add_option("GLOB", state_.glob, "Keys that match: * any text ('/' too), ? one byte");
    ls.add_flag("-l,--long", state_.long_list, "With version, type and value");
    at_least(ls);
  }

 private:
  CLI::App& add(Verb verb, const char* name, const char* about) {
    return *command(family_, commands_, verb, name, about);
  }
  void declare(const WriteRow& row) {
    CLI::App& app = add(Verb::kStateWrite, row.verb, row.about);
    key(app);
    app.add_option("--token", state_.token, "Of the claim under which the key is written [WAGGLE_FENCE_TOKEN]")
        ->check([](const std::string& text) { return natural_text(text, 1); })
        ->type_name("N");
    for (const Part part : row.parts) declare(app, row.verb, part);
    app.footer(row.footer);
  }

  void declare(CLI::App& app, const char* verb, Part part) {
    switch (part) {
      case Part::kValue:
        return value(app);
      case Part::kPatch:
        bytes(app, "PATCH", "The patch");
        return;
      case Part::kBeside:
        app.add_flag("--beside", state_.beside,
                     "Keep it beside what others write at the same time: a multi-register");
        return;
      case Part::kStep:
        app.add_option("AMOUNT", state_.amount, "[1]; may be negative")
            ->check([](const std::string& text) -> std::string {
              if (whole_number<std::int64_t>(text)) return {};
              return fmt::format("expected a whole number of 64 bits, got '{}'", text);
            })
            ->type_name("N");
        return;
      case Part::kCountOrOne:
        natural(app, "COUNT", state_.count, 1, "[1] How many");
        return;
      case Part::kElements:
        app.add_option("ELEMENT", state_.elements, "Elements")->required();
        return;
      case Part::kScalar:
        return scalar(app);
      case Part::kName:
        app.add_option_function<std::string>(
               "FIELD", [&state = state_](const std::string& text) { read_name(state, text); },
               "The field: a name, or a path such as /home/city")
            ->required();
        return;
      case Part::kNameType:
        type(app, "Only the field of this type [all of the name]", "TYPE",
             [](std::string_view word) { return field_type_of(word); });
        return;
      case Part::kAt:
        natural(app, "AT", state_.at, 0, "The position, from 0")->required();
        app.add_option("--as-of", state_.as_of, "AT counts in the state of this revision")
            ->type_name("CURSOR");
        return list(app);
      case Part::kInserted:
        app.add_option("TEXT", state_.elements, "The text; with --list one or more elements")
            ->required();
        return;
      case Part::kList:
        return list(app);
      case Part::kType:
        return type(app, fmt::format("[{}]", to_text(types_of(verb).front())), type_words(verb),
                    [verb](std::string_view word) { return type_for(verb, word); });
      case Part::kField:
        return field(app);
      case Part::kIfVersion:
        app.add_option("--if-version", state_.if_version,
                       "Only if this is the key's version; 0: only if absent")
            ->check(revision_of_text)
            ->type_name("VERSION");
        return;
      case Part::kIfAbsent:
        app.add_flag("--if-absent", state_.if_absent, "Only if there is no such key")
            ->excludes("--if-version");
        return;
      case Part::kEphemeral:
        app.add_flag("--ephemeral", state_.ephemeral,
                     "A key whose policy says class = \"ephemeral\": for its time_to_live, in "
                     "memory");
        return;
    }
  }

  void key(CLI::App& app) { app.add_option("KEY", state_.key, "The key")->required(); }
  void at_least(CLI::App& app) {
    app.add_option("--at-least", state_.at_least, "Wait until this revision is there")
        ->check(revision_of_text)
        ->type_name("REVISION");
  }
  void field(CLI::App& app) {
    app.add_option("--field", state_.field,
                   "This field of the map KEY; again: the field of that map")
        ->allow_extra_args(false)
        ->type_name("NAME");
  }
  void list(CLI::App& app) {
    app.add_flag("--list", state_.list, "KEY is a list; without: a text");
  }
  CLI::Option* natural(CLI::App& app, const char* name, std::uint64_t& out, std::uint64_t least,
                       const char* about) {
    return app.add_option(name, out, about)->check([least](const std::string& text) {
      return natural_text(text, least);
    });
  }
  void bytes(CLI::App& app, const char* name, const std::string& what) {
    auto* given = app.add_option(name, state_.value,
                                 what +
                                     "; - or nothing: from standard input. One that begins "
                                     "with '-' stands behind --");
    app.add_option("--file", state_.file, what + " is what this file holds")
        ->type_name("FILE")
        ->excludes(given);
  }
  void value(CLI::App& app) {
    bytes(app, "VALUE", "The value");
    choice<ContentType>(
        app, "--type",
        {{"text", ContentType::kText},
         {"json", ContentType::kJson},
         {"bytes", ContentType::kBytes}},
        [&state = state_](ContentType content) { state.content = content; },
        "[text; bytes when it is not UTF-8]; json is checked and stored in canonical form");
  }
  void scalar(CLI::App& app) {
    app.add_option("VALUE", state_.value, "A number; with --kind bytes a text")->required();
    const auto known = [](const std::string& word) {
      return is_kind(word) ? std::string() : "expected integer, natural, real or bytes";
    };
    app.add_option("--kind", state_.kind,
                   "How values are compared [integer, natural or real, the first that holds it]")
        ->check(known)
        ->type_name("integer|natural|real|bytes");
  }
  template <typename Read>
  void type(CLI::App& app, const std::string& about, const std::string& words, Read read) {
    app.add_option_function<std::string>(
           "--type",
           [&state = state_, read](const std::string& word) {
             const Result<ValueType> type = read(word);
             if (!type) throw CLI::ValidationError("--type", type.error().text);
             state.type = *type;
           },
           about)
        ->type_name(words);
  }

  CLI::App& family_;
  CommandLine::State& state_;
  Commands& commands_;
};

}  // namespace

void add_state_family(CLI::App& family, CommandLine& line, Commands& commands) {
  StateFamily(family, line, commands).declare();
}

std::string only_for_agents(std::string_view verb) {
  if (verb != "reserve" && verb != "release" && verb != "handover") return {};
  return fmt::format(
      "; a reserve belongs to an agent of the swarm, which a single command is not: write "
      "{{\"op\":\"{}\",...}} to waggle agent run",
      verb);
}

std::string settle_state_write(CommandLine::State& state) {
  state.field.insert(state.field.end(), state.name.begin(), state.name.end());
  if (state.verb == "max" || state.verb == "min") {
    const Result<Scalar> scalar = scalar_of(*state.value, state.kind);
    if (!scalar) return scalar.error().text + "; texts are compared with --kind bytes";
    state.scalar = *scalar;
  }
  if (state.ephemeral &&
      (state.if_version || state.if_absent || state.beside || !state.field.empty()))
    return "expected no condition, --beside or --field with --ephemeral: the last write of an "
           "ephemeral key stands, whatever was there";
  if (!types_of(state.verb).empty() && !state.type)
    state.type = state.list ? ValueType::kList : types_of(state.verb).front();
  if (state.type == ValueType::kText && state.elements.size() > 1)
    return "expected one TEXT; with --list it inserts several elements";
  return {};
}

}  // namespace waggle::cli
