import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { appOwner } from '../src/domain/owner.ts'
import { until } from '../src/lib/poll.ts'
import { deployPlan } from '../test/support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../test/support/docker-rack.ts'
import { planOf, processPlan } from '../test/support/plans.ts'
import { heading, median, ms, row } from './statistics.ts'

const execute = promisify(execFile)
const rounds = 11
const timedDeploys = 7
const defaultDeploys = 10
const owner = appOwner('bench')
const port = 3000

type Rack = Awaited<ReturnType<typeof openDockerRack>>

/** Answers with a word; at /large with 64 MB. */
const server = `
  const large = Buffer.alloc(64 * 2 ** 20)
  require('node:http').createServer(({ url }, response) => {
    response.end(url === '/large' ? large : 'hello')
  }).listen(${port})
  process.on('SIGTERM', () => process.exit())`

/** For a second asks HOST on 16 connections, each kept or new for each request; prints requests a second. */
const asking = (host: string, keepAlive: boolean) => `
  const http = require('node:http')
  const agent = new http.Agent({ keepAlive: ${keepAlive}, maxSockets: 16 })
  let answers = 0
  const end = Date.now() + 1000
  const ask = () => {
    if (Date.now() >= end) return
    http.get({ host: '${host}', port: ${port}, agent }, (response) => {
      response.resume().on('end', () => { answers++; ask() })
    })
  }
  for (let at = 0; at < 16; at++) ask()
  setTimeout(() => { console.log(answers); process.exit() }, 1000)`

const loading = (host: string) => `
  const began = performance.now()
  require('node:http').get({ host: '${host}', port: ${port}, path: '/large' }, (response) => {
    response.resume().on('end', () => console.log(64000 / (performance.now() - began)))
  })`

/** Asks by a name, looked up once or each time, until its input ends; prints how many of how many failed. */
const watching = (isOnce: boolean) => `
  const [http, dns] = [require('node:http'), require('node:dns')]
  let [asked, failed] = [0, 0]
  let isEnding = false
  process.stdin.on('end', () => (isEnding = true)).resume()
  dns.lookup('backend', (_error, address) => {
    const next = (isGood) => {
      asked++
      if (!isGood) failed++
      if (!isEnding) return setTimeout(ask, 5)
      console.log(failed, asked)
      process.exit()
    }
    const ask = () => {
      const host = ${isOnce} ? address : 'backend'
      const sent = http.get({ host, port: ${port}, agent: false, timeout: 5000 }, (response) => {
        response.resume().on('end', () => next(response.statusCode === 200))
      })
      sent.on('timeout', () => sent.destroy(new Error('timeout'))).on('error', () => next(false))
    }
    console.log('begun')
    ask()
  })`

/** What goes through a name, beside the same to the copy's own address; and deploys of what a name leads to, with names and without. */
export async function benchNames({ deploys = defaultDeploys }: { deploys?: number }): Promise<void> {
  const [withNames, without] = [await openDockerRack(), await openDockerRack({ hasNames: false })]
  try {
    for (const rack of [withNames, without]) await deploy(rack, 0)
    console.log(heading)
    await compareTraffic(withNames)
    await compareFailures([withNames, without], deploys)
    await compareDeploys(withNames, without)
  } finally {
    await withNames.close()
    await without.close()
  }
}

async function compareTraffic(rack: Rack): Promise<void> {
  const [copy] = await rack.engine.processes({ owner, type: 'backend' }, controlFor(5000))
  const direct = copy?.address ?? ''
  const kinds = [
    ['requests/s, kept connections', (host: string) => asking(host, true)],
    ['requests/s, a connection each', (host: string) => asking(host, false)],
    ['MB/s, one answer of 64 MB', loading],
  ] as const
  for (const [name, program] of kinds) {
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      const turns = [
        async () => void ours.push(await measure(rack, program('backend'))),
        async () => void theirs.push(await measure(rack, program(direct))),
      ]
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
    }
    const ratio = median(ours.map((rate, round) => rate / theirs[round]!))
    console.log(
      row(`${name}, name ÷ direct`, median(ours).toFixed(0), median(theirs).toFixed(0), ratio, '≥ 0.95'),
    )
  }
}

async function compareFailures(racks: Rack[], deploys: number): Promise<void> {
  for (const isOnce of [true, false]) {
    const texts: string[] = []
    for (const rack of racks) {
      const watch = await startWatch(rack, isOnce)
      for (let count = 1; count <= deploys; count++) await deploy(rack, Math.random())
      texts.push(await watch.end())
    }
    const how = isOnce ? 'looked up once' : 'looked up each time'
    console.log(row(`failed, ${how}, ${deploys} deploys`, texts[0]!, texts[1]!, null, '0'))
  }
}

/** The time of a deploy of one type that others call, and of that the time in which it gets its names. */
async function compareDeploys(...racks: [Rack, Rack]): Promise<void> {
  const [whole, naming] = [racks.map((): number[] => []), racks.map((): number[] => [])]
  for (let round = 0; round < timedDeploys; round++) {
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const began = performance.now()
      const trace = await deploy(racks[at]!, Math.random())
      whole[at]!.push(performance.now() - began)
      const named = trace.filter(({ phase }) => phase === 'name' || phase === 'route')
      naming[at]!.push(named.reduce((sum, entry) => sum + entry.endMs - entry.startMs, 0))
    }
  }
  for (const [name, times] of [
    ['a deploy, with names ÷ by Docker', whole],
    ['of it names, marks and routes', naming],
  ] as const) {
    const [ours, theirs] = [median(times[0]!), median(times[1]!)]
    console.log(row(name, ms(ours), ms(theirs), ours / theirs, '≤ 1.0'))
  }
}

async function deploy(rack: Rack, word: number) {
  const image = await rack.image('node:24-slim')
  const peers = [
    { type: 'backend', names: ['backend'] },
    { type: 'caller', names: ['caller'] },
  ]
  const probed = (type: string, at: number) => ({
    type,
    peers,
    image,
    health: { ...processPlan().health, port: at },
  })
  const backend = processPlan({
    ...probed('backend', port),
    command: ['node', '-e', server],
    memoryBytes: 512 * 2 ** 20,
    environment: { WORD: String(word) },
    internalPorts: [port],
  })
  const listens = "require('node:net').createServer().listen(4000)"
  const caller = processPlan({
    ...probed('caller', 4000),
    command: ['node', '-e', listens],
    memoryBytes: 512 * 2 ** 20,
  })
  const plan = planOf([backend, caller], { owner, rack: rack.rack })
  const { trace } = await deployPlan(rack.engine, plan, controlFor(120_000))
  return trace
}

async function measure(rack: Rack, program: string): Promise<number> {
  const { stdout } = await execute('docker', ['exec', await callerOf(rack), 'node', '-e', program])
  return Number(stdout)
}

async function startWatch(rack: Rack, isOnce: boolean) {
  const words = ['exec', '--interactive', await callerOf(rack), 'node', '-e', watching(isOnce)]
  const child = spawn('docker', words, { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (text) => (said += String(text)))
  await until(() => said.includes('begun'), { deadlineMs: 20_000, what: 'the client to begin' })
  return {
    async end(): Promise<string> {
      child.stdin.end()
      const counts = () => /begun\n(\d+) (\d+)/.exec(said)
      const [, failed, asked] = await until(counts, { deadlineMs: 20_000, what: 'the counts of the client' })
      return `${failed} of ${asked}`
    },
  }
}

async function callerOf(rack: Rack): Promise<string> {
  const [copy] = await rack.engine.processes({ owner, type: 'caller' }, controlFor(5000))
  const query = { filters: { label: [`com.rack.process=${copy?.id}`] } }
  const found = await rack.docker.json<{ Id: string }[]>(
    { path: '/containers/json', query },
    controlFor(5000),
  )
  if (!found[0]) throw new Error('the caller does not run')
  return found[0].Id
}
