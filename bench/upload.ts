import { randomBytes } from 'node:crypto'
import { installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { makeSource } from '../test/support/source.ts'
import { heading, median, ms, row } from './statistics.ts'

const files = 15_000
const fileBytes = 4000
const rounds = 5

/** (i) How long it takes until a rack has a source of which no file has changed, beside one that it has never seen. */
export async function benchUpload(): Promise<void> {
  await using rack = await installRack()
  await using source = await makeSource(manyFiles())
  await timeBuild(rack, 'same', source.path)
  const times = { some: [] as Times[], all: [] as Times[] }
  for (let round = 0; round < rounds; round++) {
    times.some.push(await timeBuild(rack, 'same', source.path))
    // An app of its own has sent nothing yet; the engine has the context in its cache all the same.
    times.all.push(await timeBuild(rack, `new-${round}`, source.path))
  }
  console.log(heading)
  for (const [what, key, aim] of [
    [`rack build → ${files} unchanged files are there`, 'sent', '≤ 1 s'],
    ['the same, the whole command', 'built', ''],
  ] as const) {
    const [some, all] = [times.some, times.all].map((taken) => median(taken.map((time) => time[key])))
    console.log(row(what, ms(some!), ms(all!), some! / all!, aim))
  }
}

interface Times {
  /** From the start of the command until the rack has the source, ms. */
  sent: number
  /** Until its end. */
  built: number
}

async function timeBuild(rack: InstalledRack, app: string, directory: string): Promise<Times> {
  const began = Date.now()
  const lines = (await rack.run('build', '--app', app, directory, '--json')).trim().split('\n')
  const built = Date.now() - began
  const records = lines.map((line) => JSON.parse(line) as { phase?: string; state?: string; time: string })
  const sent = records.find(({ phase, state }) => phase === 'upload' && state === 'ended')
  if (!sent) throw new Error('the build does not say when it had the source')
  return { sent: Date.parse(sent.time) - began, built }
}

function manyFiles(): Record<string, string | Uint8Array> {
  const sources = Array.from({ length: files }, (_, index) => {
    return [`src/${index % 150}/file-${index}.js`, randomBytes(fileBytes)] as const
  })
  return {
    ...Object.fromEntries(sources),
    'docker-compose.yml': 'services: { web: { build: ., command: httpd -f -p 3000, ports: ["80:3000"] } }\n',
    Dockerfile: 'FROM busybox:1\nCOPY . /app\n',
  }
}
