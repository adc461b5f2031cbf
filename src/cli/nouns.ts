import type { CommandSpec } from './command-spec.ts'
import type { Noun } from './noun.ts'

const machine = 'A rack on this machine'
const racks = 'Racks'
const releases = 'From source to live'
const processes = 'Processes'

/** All first words in the order of the help. The summaries are here so that help loads nothing. */
export const nouns: readonly Noun[] = [
  noun(
    releases,
    'deploy',
    'build and promote: source to live',
    async () => (await import('./commands/deploy.ts')).deploy,
  ),
  noun(
    releases,
    'build',
    'build a source directory into a release',
    async () => (await import('./commands/deploy.ts')).build,
  ),
  noun(
    releases,
    'apps',
    'list, create, inspect, delete, export and import apps',
    async () => (await import('./commands/apps.ts')).apps,
  ),
  noun(
    releases,
    'builds',
    'list builds, read their logs',
    async () => (await import('./commands/builds.ts')).builds,
  ),
  noun(
    releases,
    'releases',
    'list, compare, promote and roll back',
    async () => (await import('./commands/releases.ts')).releases,
  ),
  noun(
    releases,
    'env',
    'read and change the environment',
    async () => (await import('./commands/env.ts')).env,
  ),
  noun(
    releases,
    'manifest',
    'check a compose file, or start one',
    async () => (await import('./commands/manifest.ts')).manifest,
  ),
  noun(releases, 'open', 'open an app in the browser', async () => (await import('./commands/apps.ts')).open),

  noun(
    processes,
    'ps',
    'list, inspect and stop processes',
    async () => (await import('./commands/ps.ts')).ps,
  ),
  noun(
    processes,
    'top',
    'what apps, processes and copies take and serve, as it happens',
    async () => (await import('./commands/top.ts')).top,
  ),
  noun(
    processes,
    'events',
    'what changes of the rack, as it happens',
    async () => (await import('./commands/events.ts')).events,
  ),
  noun(processes, 'logs', "an app's log lines", async () => (await import('./commands/logs.ts')).logs),
  noun(
    processes,
    'scale',
    'how many copies, with how much cpu and memory',
    async () => (await import('./commands/scale.ts')).scale,
  ),
  noun(
    processes,
    'restart',
    'replace copies, dropping nothing',
    async () => (await import('./commands/scale.ts')).restart,
  ),
  noun(processes, 'run', 'run a one-off process', async () => (await import('./commands/run.ts')).run),
  noun(
    processes,
    'timers',
    'commands that run at given times: list, run, history',
    async () => (await import('./commands/timers.ts')).timers,
  ),
  noun(
    processes,
    'exec',
    'run a command inside a process',
    async () => (await import('./commands/run.ts')).exec,
  ),
  noun(
    processes,
    'cp',
    'copy files into a process, or out of it',
    async () => (await import('./commands/cp.ts')).cp,
  ),
  noun(
    processes,
    'proxy',
    'ports of this machine that lead into an app',
    async () => (await import('./commands/proxy.ts')).proxy,
  ),
  noun(
    processes,
    'domains',
    'names of your own for apps: add, list, check, remove',
    async () => (await import('./commands/domains.ts')).domains,
  ),
  noun(
    processes,
    'volumes',
    "the apps' data: list, inspect, back up, restore, delete",
    async () => (await import('./commands/volumes.ts')).volumes,
  ),
  noun(
    processes,
    'services',
    'databases and the like, which apps share',
    async () => (await import('./commands/services.ts')).services,
  ),
  noun(
    processes,
    'links',
    'which app has which service, which process links which',
    async () => (await import('./commands/links.ts')).links,
  ),

  noun(
    racks,
    'racks',
    'the racks that this command line knows',
    async () => (await import('./commands/racks.ts')).racks,
  ),
  noun(
    racks,
    'switch',
    'make another rack the current one',
    async () => (await import('./commands/racks.ts')).switchRack,
  ),
  noun(
    racks,
    'login',
    'add a rack by its address and a token',
    async () => (await import('./commands/login.ts')).login,
  ),
  noun(
    racks,
    'tokens',
    'who may call the rack: create, list, revoke, recover',
    async () => (await import('./commands/tokens.ts')).tokens,
  ),
  noun(
    racks,
    'capacity',
    'what the rack has, who holds it, what would fit',
    async () => (await import('./commands/capacity.ts')).capacity,
  ),
  noun(
    racks,
    'policy',
    'what processes may have of the machine: bind mounts, privileged',
    async () => (await import('./commands/policy.ts')).policy,
  ),
  noun(
    racks,
    'audit',
    'who changed what, from where, and how it ended',
    async () => (await import('./commands/audit.ts')).audit,
  ),
  noun(
    racks,
    'parameters',
    'settings of the rack: logs, builds, where shares come in',
    async () => (await import('./commands/parameters.ts')).parameters,
  ),
  noun(
    racks,
    'registries',
    'logins at private registries: add, list, remove',
    async () => (await import('./commands/registries.ts')).registries,
  ),
  noun(
    racks,
    'certs',
    'certificates of the rack: list, info, add, remove, renew, acme, ca',
    async () => (await import('./commands/certs.ts')).certs,
  ),
  noun(
    racks,
    'prune',
    'remove images and cache that nothing needs',
    async () => (await import('./commands/capacity.ts')).prune,
  ),

  noun(
    machine,
    'install',
    'install a rack on this machine and start it',
    async () => (await import('./commands/install.ts')).install,
  ),
  noun(machine, 'start', 'start the rack', async () => (await import('./commands/machine.ts')).start),
  noun(machine, 'stop', 'stop the rack', async () => (await import('./commands/machine.ts')).stop),
  noun(
    machine,
    'status',
    'whether the rack runs, and where',
    async () => (await import('./commands/machine.ts')).status,
  ),
  noun(
    machine,
    'update',
    'install another version of rack under running apps',
    async () => (await import('./commands/update.ts')).update,
  ),
  noun(
    machine,
    'uninstall',
    'remove the rack from this machine',
    async () => (await import('./commands/uninstall.ts')).uninstall,
  ),
  noun(
    machine,
    'backup',
    'write all of the rack to one sealed file',
    async () => (await import('./commands/backup.ts')).backup,
  ),
  noun(
    machine,
    'restore',
    'put a whole rack back on this machine',
    async () => (await import('./commands/restore.ts')).restore,
  ),
  noun(
    machine,
    'doctor',
    'what is wrong with this machine, and what to type',
    async () => (await import('./commands/doctor.ts')).doctor,
  ),

  noun(
    'Other',
    'version',
    'the version of this command line',
    async () => (await import('./commands/version.ts')).version,
  ),
  noun(
    'Other',
    'completion',
    'completion for bash, zsh, fish and PowerShell',
    async () => (await import('./commands/completion.ts')).completion,
  ),
  {
    ...noun(
      'Other',
      'dial-stdio',
      'what rack login ssh://… starts on the other machine',
      async () => (await import('./commands/dial-stdio.ts')).dialStdio,
    ),
    isHidden: true,
  },
  {
    ...noun('Other', 'complete', 'what may follow', async () =>
      (await import('./commands/completion.ts')).completeOf(nouns),
    ),
    isHidden: true,
  },
]

function noun(group: string, name: string, summary: string, load: () => Promise<CommandSpec>): Noun {
  return { name, group, summary, load }
}
