import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { syncDirectory, writeFileAtomically } from '../../../lib/atomic-file.ts'
import type { CounterState } from './counters.ts'
import { configPath } from './haproxy-process.ts'
import { renderTable } from './haproxy-config.ts'
import type { ConfigSettings, RenderedTable } from './haproxy-config.ts'
import { checkTable } from './route-table.ts'
import type { AppRoutes, RouteTable } from './route-table.ts'

/** The router's files: the table as data, and as HAProxy's configuration. */
export interface RouteFiles {
  /**
   * The apps of the table that was written last; none before the first.
   *
   * @throws host-failed when the file is damaged
   */
  load(): Promise<AppRoutes[]>
  /**
   * Writes the whole table. When it settles the files are on disk; killed in between, the old table or the new one
   * is, and the configuration is made from the table again at the next start.
   */
  write(tables: TableToWrite, control: Control): Promise<RenderedTable>
  loadCounters(): Promise<CounterState | undefined>
  writeCounters(state: CounterState): Promise<void>
}

export interface TableToWrite {
  table: RouteTable
  /** The part of it that can be served now, and goes into the configuration. */
  served: RouteTable
}

export interface RouteFilesOptions extends ConfigSettings {
  /** Looks at a configuration file before it replaces a live one of another structure. */
  check: (path: string, control: Control) => Promise<void>
}

export function createRouteFiles({ check, ...settings }: RouteFilesOptions): RouteFiles {
  const { directory } = settings
  const tablePath = `${directory}/routes.json`
  const countersPath = `${directory}/counters.json`
  return {
    async load() {
      const text = await readIfThere(tablePath)
      return text === null ? [] : readTable(text, tablePath)
    },
    async write({ table, served }, control) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const rendered = renderTable(served, { ...settings, runAs: settings.runAs ?? (await serviceAccount()) })
      const text = `${JSON.stringify({ version: 1, ...table }, null, 2)}\n`
      if ((await readIfThere(tablePath)) !== text || !(await isWritten(rendered, directory))) {
        // Servers alone are checked with the table, and HAProxy takes 20 ms and more for its look at the file.
        const isKnown = (await structureOnDisk(directory)) === rendered.structure
        await writeConfig(
          rendered,
          directory,
          async () => (isKnown ? undefined : await check(nextPath(directory), control)),
          () => writeFileAtomically(tablePath, text, { mode: 0o600 }),
        )
      }
      return rendered
    },
    async loadCounters() {
      const text = await readIfThere(countersPath)
      return text === null ? undefined : readCounters(text)
    },
    async writeCounters(state) {
      await writeFileAtomically(countersPath, JSON.stringify(state), { mode: 0o600 })
    },
  }
}

const nextPath = (directory: string): string => `${directory}/haproxy.cfg.next`

async function writeConfig(
  { config, hosts, hostsPath }: RenderedTable,
  directory: string,
  check: () => Promise<void>,
  writeTable: () => Promise<void>,
): Promise<void> {
  await writeFileAtomically(hostsPath, hosts, { mode: 0o600 })
  await writeAndSync(nextPath(directory), config)
  await check()
  await writeTable()
  await rename(nextPath(directory), configPath(directory))
  await syncDirectory(directory)
  await removeOldMaps(directory, hostsPath)
}

async function writeAndSync(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w', 0o600)
  await file.writeFile(text)
  await file.sync()
}

/** HAProxy has read its map into memory; only the configuration on disk needs the file. */
async function removeOldMaps(directory: string, hostsPath: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = `${directory}/${name}`
    if (/^hosts-[0-9a-f]+\.map$/.test(name) && path !== hostsPath) await rm(path, { force: true })
  }
}

async function isWritten({ config, hostsPath }: RenderedTable, directory: string): Promise<boolean> {
  return (await readIfThere(configPath(directory))) === config && (await readIfThere(hostsPath)) !== null
}

function readTable(text: string, path: string): AppRoutes[] {
  try {
    return checkTable(JSON.parse(text) as RouteTable).apps
  } catch (cause) {
    throw new RackError('host-failed', `the router's table ${path} is damaged`, {
      hint: 'Move the file away; the rack writes the routes of every app again when it starts.',
      cause,
    })
  }
}

/** The structure of the configuration that was checked and written last. */
async function structureOnDisk(directory: string): Promise<string | null> {
  const config = await readIfThere(configPath(directory))
  return /^global\n  description (\w+)\n/.exec(config ?? '')?.[1] ?? null
}

/** Root leaves the serving to the account that HAProxy's package made. */
async function serviceAccount(): Promise<{ user: string; group: string } | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const has = async (path: string) => /^haproxy:/m.test((await readIfThere(path)) ?? '')
  return (await has('/etc/passwd')) && (await has('/etc/group'))
    ? { user: 'haproxy', group: 'haproxy' }
    : undefined
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

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
