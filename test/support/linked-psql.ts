import type { startAwsOperations } from './aws-operations.ts'
import { runInside } from '../../src/operations/services/run-inside.ts'
import { psqlApp } from './psql-app.ts'

type Rack = Awaited<ReturnType<typeof startAwsOperations>>

/** An app `shop` whose image is the server's, so that its psql logs in by what a link named `db` gives. */
export async function startLinkedApp(rack: Rack) {
  const { operations, engine, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', psqlApp['docker-compose.yml'])
  const promote = async (release: string) =>
    await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  const newest = async () => (await operations.listReleases('shop', 1))[0]?.id
  return {
    async link(service: string): Promise<void> {
      const { release } = await operations.createLink('shop', { service, alias: 'db' }, control)
      await promote(release.id)
    },
    async remove(): Promise<void> {
      await operations.deleteApp('shop', { unlink: true, volumes: true }, control)
    },
    /** What psql says in the copy of the newest release: one that leaves has another login. */
    async sql(statement: string): Promise<string> {
      const release = await newest()
      const copies = await operations.listProcesses('shop', {}, control)
      const copy = copies.find((each) => each.status === 'running' && each.release === release)
      const script = 'psql --no-psqlrc --tuples-only --no-align "$DB_URL" -c "$1" 2>&1'
      const inside = { command: ['sh', '-c', script, 'sh', statement], input: '', secrets: [] }
      return await runInside(engine, copy!.id, { inside }, control)
    },
  }
}

/** What is in a database of a service, as its administrator sees it. */
export async function sqlInside(rack: Rack, service: string, database: string, statement: string) {
  const { engine, control } = rack
  const copies = await engine.processes({ owner: { kind: 'service', name: service } }, control)
  const copy = copies.find(({ status }) => status === 'running')
  const command = ['psql', '--username', 'postgres', '-XAt', '--dbname', database, '--command', statement]
  return await runInside(engine, copy!.id, { inside: { command, input: '', secrets: [] } }, control)
}
