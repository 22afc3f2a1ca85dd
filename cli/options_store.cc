// The commands that work on stores and their backups, without a coordinator or beside one.

#include "cli/option_parts.h"

namespace waggle::cli {

void add_stores(CLI::App& app, CommandLine& line, Commands& commands) {
  auto& store = line.store;
  CLI::App& snapshots = *family(app, "snapshot", "Backups of a coordinator's store in one file");
  CLI::App& save = *command(snapshots, commands, Verb::kSnapshotSave, "save",
                            "Save everything as it is at one moment");
  CLI::App& verify = *command(snapshots, commands, Verb::kSnapshotVerify, "verify",
                              "Check all of a snapshot, without a coordinator");
  CLI::App& info =
      *command(snapshots, commands, Verb::kSnapshotInfo, "info", "What a snapshot holds");
  CLI::App& restore = *command(snapshots, commands, Verb::kSnapshotRestore, "restore",
                               "Make a store of a snapshot, in a new epoch");
  for (CLI::App* one : {&save, &verify, &info, &restore})
    one->add_option("FILE", store.file,
                    one == &save ? "The file to write; - for output" : "The file")
        ->required()
        ->check(not_empty());
  for (CLI::App* one : {&save, &restore})
    one->add_option("--store", store.directory,
                    one == &save
                        ? "The coordinator's data directory [WAGGLE_DATA, as of waggle serve]"
                        : "The data directory to make: absent, or empty [WAGGLE_DATA, as of waggle "
                          "serve]")
        ->type_name("DIR")
        ->check(not_empty());
  save.add_flag("--force", store.force, "Replace a file of that name");
  save.footer(
      "On the coordinator's machine, as its user: a running coordinator goes on meanwhile, every\n"
      "write that was acknowledged before is in it. The file is checked before it gets its name.\n"
      "  waggle snapshot save /backup/bees.wsnap\n"
      "  ssh hive waggle snapshot save - > bees.wsnap && waggle snapshot verify bees.wsnap");
  verify.footer("Exit code: 0 whole, 1 damaged or of a newer Waggle; the text names the place.");
  restore.footer(
      "The store begins a new epoch: agents of the former coordinator take over what is there, "
      "are\n"
      "told which of their acknowledged writes are gone, and send again what was not answered.\n"
      "Stop the former coordinator for good; two of them would not be one swarm.\n"
      "  waggle snapshot restore bees.wsnap --store /var/lib/waggle && waggle serve --data "
      "/var/lib/waggle");

  CLI::App& doctor = *command(app, commands, Verb::kDoctor, "doctor",
                              "Examine a store that no process holds, and change nothing");
  doctor
      .add_option(
          "--store", store.directory,
          "The data directory of a coordinator or an agent [WAGGLE_DATA, as of waggle serve]")
      ->type_name("DIR")
      ->check(not_empty());
  doctor.footer(
      "Reads every file with its checksums and every row, and names for each finding the file and\n"
      "the way out. Exit code: 0 healthy, 1 findings, 3 no store is there, 5 a process holds it:\n"
      "stop that one, or check it alive: waggle snapshot save FILE.");
}

}  // namespace waggle::cli
