import type { InstalledRack } from './installed-rack.ts'

/** An app that is a client: its image is the server's, so that its psql logs in by what a link named `db` gives. */
export const psqlApp = {
  'docker-compose.yml': `services:
  web:
    image: postgres:15
    command: sleep 86400
    stop_grace_period: 1s
`,
}

/** What psql says in a process of such an app, its refusal included; of another database than the link's where one is named. */
export async function sqlOf(
  rack: InstalledRack,
  app: string,
  statement: string,
  database?: string,
): Promise<string> {
  const [copy] = await rack.json<{ id: string }[]>('ps', '--app', app)
  const url = database === undefined ? '$DB_URL' : `\${DB_URL%/*}/${database}`
  const script = `psql --no-psqlrc --tuples-only --no-align "${url}" -c "${statement}" 2>&1`
  return (await rack.attempt(['exec', '--app', app, copy!.id, 'sh', '-c', script])).stdout.trim()
}
