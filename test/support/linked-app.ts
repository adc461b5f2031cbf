import type { startAwsOperations } from './aws-operations.ts'
import { runInside } from '../../src/operations/services/run-inside.ts'
import type { Inside } from '../../src/services/service-type.ts'
import { findServiceType } from '../../src/services/service-types.ts'

type Rack = Awaited<ReturnType<typeof startAwsOperations>>

/** A client of a kind of service, in an image of the server's: a script that says `$1` to what a link named `db` gives. */
export interface LinkedClient {
  image: string
  script: string
}

export const psqlClient: LinkedClient = {
  image: 'postgres:15',
  script: 'psql --no-psqlrc --tuples-only --no-align "$DB_URL" -c "$1" 2>&1',
}

interface Linking {
  keyPrefix?: string
  beside?: string[]
}

/** An app whose image is the server's, so that its client logs in by what a link gives. */
export async function startLinkedApp(rack: Rack, app: string, { image, script }: LinkedClient) {
  const { operations, engine, control } = rack
  await operations.createApp(app)
  const file = `services:\n  web:\n    image: ${image}\n    command: sleep 86400\n    stop_grace_period: 1s\n`
  await rack.deploy(app, file)
  const promote = async (release: string) =>
    await operations.promoteRelease(app, release, { releaseCommand: true }, control)
  const newest = async () => (await operations.listReleases(app, 1))[0]?.id
  return {
    /** Links it as `db`, and others as what they are called. */
    async link(service: string, { keyPrefix, beside = [] }: Linking = {}): Promise<void> {
      for (const other of beside) await operations.createLink(app, { service: other, alias: other }, control)
      const options = { service, alias: 'db', ...(keyPrefix !== undefined && { keyPrefix }) }
      const { release } = await operations.createLink(app, options, control)
      await promote(release.id)
    },
    async remove(): Promise<void> {
      await operations.deleteApp(app, { unlink: true, volumes: true }, control)
    },
    /** What its client says in the copy of the newest release: one that leaves has another login. */
    async say(statement: string): Promise<string> {
      const release = await newest()
      const copies = await operations.listProcesses(app, {}, control)
      const copy = copies.find((each) => each.status === 'running' && each.release === release)
      const inside = { command: ['sh', '-c', script, 'sh', statement], input: '', secrets: [] }
      return await runInside(engine, copy!.id, { inside }, control)
    },
  }
}

/** What is in a database of a service, as its administrator sees it. */
export async function psqlInside(rack: Rack, service: string, database: string, statement: string) {
  const command = ['psql', '--username', 'postgres', '-XAt', '--dbname', database, '--command', statement]
  return await runInService(rack, service, { command, input: '', secrets: [] })
}

/** What a service's console says to what is piped into it. */
export async function consoleInside(rack: Rack, service: string, database: string | null, input: string) {
  const { type } = await rack.operations.getService(service, rack.control)
  return await runInService(rack, service, { ...findServiceType(type)!.console!(database), input })
}

/** What a command prints inside a service. */
export async function runInService(
  { engine, control }: Rack,
  service: string,
  inside: Inside,
): Promise<string> {
  const copies = await engine.processes({ owner: { kind: 'service', name: service } }, control)
  const copy = copies.find(({ status }) => status === 'running')
  return await runInside(engine, copy!.id, { inside }, control)
}
