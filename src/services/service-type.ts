import type { Environment } from '../domain/environment.ts'

/**
 * All that the rack knows of a kind of service that runs from an image: how it starts, when it is ready, whom it lets in,
 * how its data is taken out and put back. Values and commands only: nothing here runs anything.
 */
export interface ServiceType {
  /** What people type: `rack services create NAME`. */
  name: string
  /** Other words for it: `postgresql`. */
  aliases: readonly string[]
  versions: Versions
  /** The image of a version, with its tag. */
  image(version: string): string
  /** Of the links' URLs: `postgres`. */
  scheme: string
  /** Null where whoever creates the service says it. */
  port: number | null
  /** Where the image of a version keeps its data; null for what keeps none. */
  dataPath(version: string): string | null
  cpuUnits: number
  memoryBytes: number
  /** How long it may take to write down what it holds before it is killed. */
  stopGraceMs: number
  /**
   * Variables of its container. They hold the administrator's password, under the name that the image wants: commands
   * inside the container take it from there, so that it is in no argument and goes through no other hand.
   */
  environment(adminPassword: string): Environment
  /**
   * Who logs in, and to what, where the image runs as a process of an app, by that process's own variables: what a link to
   * it gives where no `LINK_*` says otherwise.
   */
  ownLogin(variables: Environment): { path: string; username: string; password: string }
  /** In place of the image's own; null keeps that. */
  command: readonly string[] | null
  /**
   * Ends well once a login over the network is taken and answered; prints the version that the server says of itself.
   * Null where nothing is known but a port, which the engine proves.
   */
  ready: Inside | null
  /** Prints how many clients are connected, itself not among them; null where that cannot be asked. */
  connections: Inside | null
  /** Users and what they may; null for a type that knows none, which whoever is linked shares whole. */
  logins: Logins | null
  /** How its data is kept elsewhere; null where it cannot be. */
  data: DataCare | null
  /** The same of a server that somebody else runs, by the programs of this type's image; null for a type that cannot. */
  hosted: ((place: HostedPlace) => HostedClient) | null
  /** What differs where a cloud runs it; absent for a type of which no cloud has any. */
  managed?: ManagedCare
  /** Its own tools' way to hand data on; a sentence of why there is none, where there is none. */
  native: NativeDump | string
  /** Opens its own client, as its administrator. It reads what is piped into it, too. */
  console: ((database: string | null) => Inside) | null
  /** Told where one is created: what somebody should know before relying on it, a sentence each. */
  says: readonly string[]
}

export interface Versions {
  usual: string
  /** Newest first. Others are tried as they are: the image's registry knows them, or not. */
  known: readonly string[]
  /**
   * What of a version decides whether a volume can be read: the same word, the same files. Another word wants a dump and
   * a new volume.
   */
  format(version: string): string
}

/**
 * A command inside the service's own container, by `engine.exec` without a TTY. Exit code 0 is success; what it prints
 * to the standard output is its answer.
 */
export interface Inside {
  command: readonly string[]
  /** Written to its standard input, first. Secrets go in here and nowhere else. */
  input: string
  /** Values in `input` that a message of the program may repeat: to be masked wherever it is shown. */
  secrets: readonly string[]
}

/** One consumer's way in. Rotation makes another login to the same data, and revokes the old one when nobody needs it. */
export interface Login {
  /** The database or virtual host; its owner, who cannot log in, is called the same. `loginNames` makes it. */
  data: string
  username: string
  password: string
  /** Only keys and channels that begin so, where the type has keys: Redis. Null is all of them. */
  keyPrefix: string | null
}

/** Each command may be repeated, and run beside the same for other logins. */
export interface Logins {
  /** True where each `data` is a room of its own, of which all that are given it act as its owner; false where all see the same. */
  hasOwnData: boolean
  /** Makes the data where it is missing, and the user; a user that is there gets this password. */
  create(login: Login): Inside
  /** Keeps the user out from now on and ends its sessions. The data stays. */
  revoke(login: Omit<Login, 'password'>): Inside
  /** Ends well once the login is taken over the network and answered: what is linked would be let in. */
  prove(login: Login): Inside
  /** Ends what is left of the data, for good. */
  dropData(data: string): Inside
  /** Prints the `data` that there are, a name a line, in the order of their bytes. */
  listData: Inside
  /**
   * Prints the users that there are, a line each, with a tab and its data behind the name where `revoke` wants it; those that
   * nobody made for a link may be among them.
   */
  listUsers: Inside
  /** How the URL of a link ends, and who logs in. */
  address(login: Login): { path: string; username: string; password: string }
}

/** How data leaves a service and comes back: always whole, always into a service that has none yet. */
export interface DataCare {
  /** Told where a backup is made: what it is, and what is not in it. */
  says: string
  /** True for a type whose backup is its volume's files, taken while it is stopped. Its `parts` are empty. */
  isVolume: boolean
  /** True where what was put back is there once the service was started again. */
  restartsAfterRestore: boolean
  /** Prints the names that `parts` and `counts` want, a line each. */
  list: Inside | null
  /** What a backup is made of, in the order in which it is made and put back. */
  parts(names: readonly string[]): Part[]
  /** Prints what is there, to be compared as text before and after: `NAME<tab>COUNT`, sorted. Null where nothing can be counted. */
  counts: ((names: readonly string[]) => Inside) | null
  /** Whether a backup of a version can be put into another one. */
  canRestore(from: string, into: string): boolean
}

/** One stream of a backup. */
export interface Part {
  /** A file name: letters, digits, `.`, `_`, `-`, `%`. */
  name: string
  /** Prints it. */
  dump: Inside
  /** Reads it from its standard input, behind `input`. */
  restore: Inside
}

/** What the tools of a type write and read: one database where the server has several, else all of it. */
export interface NativeDump {
  /** Told where it is written and read: "pg_dump's custom format". */
  format: string
  /** A database that is there from the start, and meant where there is no other; null where there is none. */
  first: string | null
  /** Prints it. The database is empty where the type's `data.list` is null. */
  dump(database: string): Inside
  /** Prints how much there is that a load could collide with: a number, 0 for what is empty. */
  contents(database: string): Inside
  /**
   * Reads it from its standard input, behind `input`; `over` what is there, of which it replaces what has the same name.
   * Null where the server reads such a file when it starts, and never else: it is put in as a backup is.
   */
  load: ((database: string, over: boolean) => Inside) | null
  /** True where a load that fails or is ended has changed nothing. */
  isAtOnce: boolean
}

/** What a URL says of a server that somebody else runs. The password goes in by standard input and nowhere else. */
export interface HostedPlace {
  host: string
  port: number
  /** All hosts and ports, as the URL has them. */
  authority: string
  username: string
  password: string
  /** The database, decoded; empty where the URL names none. */
  data: string
  /** With its leading `?`, or empty. */
  query: string
  /** By the scheme: `rediss`. */
  isEncrypted: boolean
}

export interface ManagedCare {
  /** Variables by which the type's own programs reach the server, as its administrator there. */
  environment(place: ManagedPlace): Environment
  /** Of its links' URLs, which then name the server's own host: `rediss`. Null where they are what they are elsewhere. */
  scheme: string | null
  /** What a login may do, in the server's own words, where the cloud makes the logins; null where commands make them. */
  rights: ((keyPrefix: string | null) => string) | null
  /** Why nobody takes its data out, or puts some in, by commands; null where they do. */
  withheld: string | null
  /** How the versions begin that the cloud has; null where it is asked. */
  series: readonly string[] | null
  /** Whether the cloud brings it to newer versions of its series by itself, and is asked for a series alone. */
  bringsSeries: boolean
  /** What becomes of one that gets another version, in a sentence or two. */
  newVersion: string
  /** Whether the cloud keeps a last snapshot of what is deleted. */
  leavesSnapshot: boolean
  /** Why one that is made gets no machine of another size; null where it does. */
  sizeStays: string | null
  /** Why the cloud is not asked to start one anew; null where it is. */
  noRestart: string | null
  /** Told before one is made, a sentence each. */
  says: readonly string[]
}

/** Where a cloud runs a server, and who logs in there. */
export interface ManagedPlace extends Pick<HostedPlace, 'host' | 'port' | 'username' | 'password'> {
  /** The file in which whoever vouches for its certificate is. */
  authoritiesFile: string
}

/** Commands in a container of the type's image, which has nothing of its own. */
export interface HostedClient {
  /** The database that is meant. */
  data: string
  /** Prints the version of the server. */
  version: Inside
  /** A part of a backup, by its name; null for one that the server does not give away. */
  dump(part: string): Inside | null
}
