/** Why MiniStack 1.5.33 cannot show a scenario, and which ones; read in its source and seen. */
const reasons: Record<string, string[]> = {
  'ExecuteCommand there names a session at AWS that nobody serves': [
    'a one-off and a release command have the files of their type',
    'what running processes take is read, of one owner or of all',
    'a one-off gives its output and exit code, keeps its log, and is gone',
    'a one-off reads what is typed until it ends',
    'a lost client ends its attached one-off',
    'exec gives input, output and exit code; an unknown process is not found',
    'a tar goes into a process and comes out again, with modes, times and links',
    'a file comes out under its name, what is in a directory by its own names',
    'a path that is not there, or is no directory, is told',
    'an archive that breaks off on its way in fails the copy',
    'a type that a release drops answers until those that call it have left',
    'volumes are measured only when they are asked to be',
    'a volume goes out as a tar and into another one as it is, with no process',
  ],
  'containers of a task share no volume there, and mount no file system': [
    'a type with a volume is stopped first, and started again when its successor fails',
    'a process reads its files, with their modes, wherever they are',
    'a changed secret replaces the copies that have it, and those alone',
    'files survive a crash of their process',
    'a deploy makes the volumes of its plan, and they say who has them',
    'a volume stays while its app is replaced and removed, and goes when it is told to',
    'a volume that a process has is not removed, and the refusal names who',
    'a volume that went while its type was scaled to zero is made anew for the next copy',
    'an app that is removed with its data takes nothing of the service along',
    "a one-off makes a volume that is not there, as one of the app's",
    'an app and a service of one name do not see each other',
    'what is asked of all names the owner of each',
    'a deploy of an app leaves the service of its name as it is, routes too',
    "a service's one-off is the service's",
    'a sweep that keeps an app takes the service of its name, and the other way round',
  ],
  'UpdateTaskProtection there protects nothing: the newest copies leave, whichever are told to': [
    'scaling up keeps what runs, scaling down keeps a part of it, zero ends it',
    'a copy that leaves is replaced, and only one-offs are simply stopped',
    'between 100 and 150 percent: never more than 6 of 4 copies, nor fewer than 4',
    'between 100 and 100 percent: never more than 5 of 4 copies, nor fewer than 4',
    'between 50 and 100 percent: never more than 4 of 4 copies, nor fewer than 2',
  ],
  'a task that was stopped has no exit code there, or 0': [
    'processes are found by app, type and id',
    'a one-off that runs too long is ended',
  ],
  'its network balancers serve no port': [
    'an external tcp port leads to the copies of its type, after a deploy to the new ones',
    'a tcp port is closed when the plan has it no more',
    'a connection lasts while its copy drains, and no change waits for it',
    'what an image exposes alone is reached from inside, and opens nothing outside',
  ],
}

/** By title, why it is skipped. */
export const beyondMiniStack: Record<string, string> = Object.fromEntries(
  Object.entries(reasons).flatMap(([why, titles]) => titles.map((title) => [title, why])),
)
