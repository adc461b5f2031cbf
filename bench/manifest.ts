import { dockerFeatures } from '../src/domain/docker-features.ts'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeManifest } from '../src/manifest/describe.ts'
import { largeComposeFile } from './manifest-files.ts'
import { heading, median, ms, row } from './statistics.ts'

const rounds = Number(process.env.ROUNDS ?? 15)
const composeProgram = process.env.COMPOSE ?? 'docker-compose'
const root = join(import.meta.dirname, '..')

const smallFile = `services:
  web:
    image: nginx:1.27
    ports: ["80:80"]
    depends_on: [redis]
    environment: { REDIS_URL: "redis://redis:6379" }
  redis:
    image: redis:7
    volumes: ["data:/data"]
volumes:
  data:
`

/** (e) Reading compose files: the reader alone, and the command beside a bare Node and `docker-compose config`. */
export async function benchManifest(): Promise<void> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-bench-'))
  const large = largeComposeFile(100)
  const files = { small: join(directory.path, 'small.yml'), large: join(directory.path, 'large.yml') }
  await writeFile(files.small, smallFile)
  await writeFile(files.large, large)
  execFileSync(process.execPath, [join(root, 'scripts/build.ts'), '--if-stale'])
  console.log(heading)
  printReader(large)
  printCommands(files)
}

function printReader(text: string): void {
  const lines = text.split('\n').length
  const source = { files: [{ path: 'large.yml', text }], dotenv: null, texts: {}, contents: {} }
  const times = Array.from({ length: rounds * 2 }, () => {
    const started = performance.now()
    const { isValid } = describeManifest(source, { environment: {}, features: dockerFeatures })
    if (!isValid) throw new Error('the large file is not valid')
    return performance.now() - started
  })
  console.log(row(`read ${lines} lines, 100 processes: median`, ms(median(times)), '', null, '≤ 50 ms'))
  console.log(row('  the first time, before anything is compiled', ms(times[0] ?? 0), '', null, ''))
}

function printCommands({ small, large }: { small: string; large: string }): void {
  const rack = join(root, 'bin/rack')
  const times = interleave({
    node: [process.execPath, '-e', '0'],
    'rack, small': [rack, 'manifest', 'check', small],
    'compose, small': [composeProgram, '-f', small, 'config'],
    'rack, large': [rack, 'manifest', 'check', large],
    'compose, large': [composeProgram, '-f', large, 'config'],
  })
  const of = (name: string) => median(times.get(name) ?? [])
  const print = (what: string, one: string, other: string, aim: string) =>
    console.log(row(what, ms(of(one)), ms(of(other)), of(one) / of(other), aim))
  const extra = of('rack, small') - of('node')
  print(`manifest check ÷ bare node (+${ms(extra)})`, 'rack, small', 'node', '≤ +100 ms')
  print(`manifest check ÷ ${composeProgram} config`, 'rack, small', 'compose, small', '≤ 1.0')
  print('  the same, of 100 processes', 'rack, large', 'compose, large', '≤ 1.0')
}

/** Every round runs each command once, so that what else the machine does meets all of them. */
function interleave(commands: Record<string, string[]>): Map<string, number[]> {
  const times = new Map<string, number[]>(Object.keys(commands).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, [program = '', ...args]] of Object.entries(commands)) {
      const started = performance.now()
      const { status, stderr, error } = spawnSync(program, args)
      times.get(name)?.push(performance.now() - started)
      if (status !== 0)
        throw new Error(`${name} ended with ${status}: ${error?.message ?? stderr.toString()}`)
    }
  }
  return times
}
