import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import type { Control } from '../domain/control.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import { RackError } from '../domain/error.ts'
import { syncDirectory, writeFileAtomically } from '../lib/atomic-file.ts'
import { readTextIfThere } from '../lib/files.ts'
import type { CounterState } from './counters.ts'
import { configPath } from './haproxy-program.ts'
import { renderTable } from './haproxy-config.ts'
import type { ConfigSettings, RenderedTable } from './haproxy-config.ts'
import { renderMap } from './map-changes.ts'
import { checkTable } from './check-table.ts'
import { allRoutes } from './route-table.ts'
import type { KeptTable, Listening, RouteTable } from './route-table.ts'
import { speaksTls } from './web-ways.ts'
import type { ShownCertificates } from './tls/shown-certificates.ts'
import { serviceAccount } from './service-account.ts'
import { unservedPorts } from './unserved-ports.ts'

/** The router's files: the table as data, and as HAProxy's configuration. */
export interface RouteFiles {
  /**
   * The table that was written last; an empty one before the first.
   *
   * @throws host-failed when the file is damaged
   */
  load(): Promise<KeptTable>
  /**
   * Writes the whole table. When it settles the files are on disk; killed in between, the old table or the new one
   * is, and the configuration is made from the table again at the next start.
   */
  write(tables: TableToWrite, control: Control): Promise<RenderedTable>
  /** The TCP ports of the table that are left out of the configuration, since another program has them. */
  unserved(listening: Listening): Promise<UnservedPort[]>
  loadCounters(): Promise<CounterState | undefined>
  writeCounters(state: CounterState): Promise<void>
}

export interface TableToWrite {
  table: RouteTable
  /** The part of it that can be served now, and goes into the configuration. */
  served: RouteTable
}

export interface RouteFilesOptions extends Omit<ConfigSettings, 'canHold' | 'shown'> {
  /** Writes what is shown by TLS; null where none is spoken. */
  shown: ShownCertificates | null
  /** Whether HAProxy can run the program by which requests wait. */
  canHold: () => Promise<boolean>
  /** Looks at a configuration file before it replaces a live one of another structure. */
  check: (path: string, control: Control) => Promise<void>
}

export function createRouteFiles({ check, ...settings }: RouteFilesOptions): RouteFiles {
  const { directory } = settings
  const tablePath = tablePathOf(directory)
  const countersPath = `${directory}/counters.json`
  let writtenCounters: string | null = null
  return {
    async load() {
      const text = await readTextIfThere(tablePath)
      return text === null ? { apps: [] } : readTable(text, tablePath)
    },
    write: async ({ table, served }, control) =>
      await tellingFullDisk(async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 })
        // The account that serves connects to a socket in it, and may not list it.
        await chmod(directory, 0o711)
        const shown = speaksTls(served) ? await settings.shown?.write(served) : null
        const rendered = renderTable(served, {
          ...settings,
          shown: shown ?? null,
          runAs: settings.runAs ?? (await serviceAccount()),
          canHold: allRoutes(served).some(({ route }) => route.backend.holdMs) && (await settings.canHold()),
        })
        const text = `${JSON.stringify({ version: 1, ...table }, null, 2)}\n`
        if ((await readTextIfThere(tablePath)) !== text || !(await isWritten(rendered, directory))) {
          // Servers alone are checked with the table, and HAProxy takes 20 ms and more for its look at the file.
          const isKnown = (await structureOnDisk(directory)) === rendered.structure
          await writeConfig(
            rendered,
            directory,
            async () => (isKnown ? undefined : await check(nextPath(directory), control)),
            () => writeFileAtomically(tablePath, text, { mode: 0o600 }),
          )
        }
        if (shown) await settings.shown?.removeOthers(shown)
        return rendered
      }),
    unserved: (listening) => findUnservedPorts(directory, listening),
    async loadCounters() {
      const text = await readTextIfThere(countersPath)
      return text === null ? undefined : readCounters(text)
    },
    async writeCounters(state) {
      const text = JSON.stringify(state)
      // Counted is often, as for each app that a start brings back, and mostly nothing has passed since.
      if (text === writtenCounters) return
      await tellingFullDisk(async () => await writeFileAtomically(countersPath, text, { mode: 0o600 }))
      writtenCounters = text
    },
  }
}

/** A full disk in Rack's words; any other failure comes as it is. */
async function tellingFullDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
    throw new RackError('disk-full', 'the disk of the router is full', {
      hint: 'Make room on the disk that holds the rack directory, then try again.',
      cause: error,
    })
  }
}

/** The ports of a router that another program has, as its files say; needs no daemon. */
export async function findUnservedPorts(directory: string, listening: Listening): Promise<UnservedPort[]> {
  const path = tablePathOf(directory)
  const [text, config] = await Promise.all([readTextIfThere(path), readTextIfThere(configPath(directory))])
  if (text === null || config === null) return []
  return await unservedPorts({ ...listening, ...readTable(text, path) }, config)
}

const tablePathOf = (directory: string): string => `${directory}/routes.json`
const nextPath = (directory: string): string => `${directory}/haproxy.cfg.next`

async function writeConfig(
  { config, maps, hold, keys }: RenderedTable,
  directory: string,
  check: () => Promise<void>,
  writeTable: () => Promise<void>,
): Promise<void> {
  // A configuration that is looked at names it; what is in it counts once that is taken.
  for (const { path } of maps) await writeOnce(path, '')
  for (const { path, text: key } of keys) await writeOnce(path, key)
  if (hold) {
    await writeOnce(hold.programPath, hold.program)
    await writeFileAtomically(hold.duePath, renderMap(hold.due), { mode: 0o600 })
  }
  await writeAndSync(nextPath(directory), config)
  await check()
  await writeTable()
  for (const { path, entries } of maps) {
    const text = renderMap(entries)
    // A change of servers leaves it as it is: a write would only wait for the disk.
    if ((await readTextIfThere(path)) !== text) await writeFileAtomically(path, text, { mode: 0o600 })
  }
  await rename(nextPath(directory), configPath(directory))
  await syncDirectory(directory)
  await removeOldFiles(directory, [hold?.programPath, ...[...maps, ...keys].map(({ path }) => path)])
}

async function writeOnce(path: string, text: string): Promise<void> {
  if ((await readTextIfThere(path)) === null) await writeFileAtomically(path, text, { mode: 0o600 })
}

async function writeAndSync(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w', 0o600)
  await file.writeFile(text)
  await file.sync()
}

/** HAProxy has read its program into memory (and its map, whose name had a hash once); only the configuration on disk needs the files. */
async function removeOldFiles(directory: string, kept: (string | undefined)[]): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = `${directory}/${name}`
    if (
      /^(hosts-[0-9a-f]+\.map|(https|tls)-\d+\.map|hold-[0-9a-f]+\.lua|share-[0-9a-f]+\.pem)$/.test(name) &&
      !kept.includes(path)
    )
      await rm(path, { force: true })
  }
}

async function isWritten({ config, maps, hold, keys }: RenderedTable, directory: string): Promise<boolean> {
  const is = async (path: string, text: string) => (await readTextIfThere(path)) === text
  if (!(await is(configPath(directory), config))) return false
  for (const { path, entries } of maps) if (!(await is(path, renderMap(entries)))) return false
  for (const { path } of keys) if ((await readTextIfThere(path)) === null) return false
  if (!hold) return true
  return (await is(hold.duePath, renderMap(hold.due))) && (await is(hold.programPath, hold.program))
}

function readTable(text: string, path: string): KeptTable {
  const { apps, entrance, ways } = parseTable(text, path)
  return { apps, ...(entrance && { entrance }), ...(ways && { ways }) }
}

function parseTable(text: string, path: string): RouteTable {
  try {
    return checkTable(JSON.parse(text) as RouteTable)
  } catch (cause) {
    throw new RackError('host-failed', `the router's table ${path} is damaged`, {
      hint: 'Move the file away; the rack writes the routes of every app again when it starts.',
      cause,
    })
  }
}

/** The structure of the configuration that was checked and written last. */
async function structureOnDisk(directory: string): Promise<string | null> {
  const config = await readTextIfThere(configPath(directory))
  return /^global\n  description (\w+)\n/.exec(config ?? '')?.[1] ?? null
}

/** Counters only inform: a damaged file starts them anew, and routing goes on. */
function readCounters(text: string): CounterState | undefined {
  try {
    return JSON.parse(text) as CounterState
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
