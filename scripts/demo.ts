import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { run, show } from './steps/shell.ts'
import { printFailure, SetupError, step } from './steps/progress.ts'

const rack = 'demo'
const app = 'guestbook'
const source = 'examples/guestbook'
const signature = { name: 'npm run demo', message: 'Everything works :)' }

/** What `rack status --json` says of a rack, as far as the demo reads it. */
interface Status {
  http: string
  domain: string
}

/** What is asked of the app; a body is a form. */
interface Question {
  host: string
  method: 'GET' | 'POST'
  path: string
  body?: string
}

/** A page of the app as the router answers it. */
interface Answer {
  status: number
  body: string
}

try {
  const { http, domain } = await startRack()
  await step(`deploying ${source}`, () => show('bin/rack', ['deploy', '--rack', rack, '--app', app, source]))
  const host = `${app}.${domain}`
  await step('signing the guestbook through the router', () => signBook(new URL(http), host))
  printNext(new URL(http), host)
} catch (error) {
  printFailure('demo', error)
}

/** Installs the rack at the first run, starts it at later ones; either way it runs when this returns. */
async function startRack(): Promise<Status> {
  const racks = JSON.parse(await run('bin/rack', ['racks', '--json'])) as { name: string }[]
  const isInstalled = racks.some(({ name }) => name === rack)
  if (isInstalled) await step('starting the rack', () => show('bin/rack', ['start', '--rack', rack]))
  else await step('installing the rack', () => show('bin/rack', ['install', '--name', rack]))
  return JSON.parse(await run('bin/rack', ['status', '--rack', rack, '--json'])) as Status
}

/** Proves all three processes: the web takes an entry, the worker publishes it, Redis keeps it for the next run. */
async function signBook(router: URL, host: string): Promise<void> {
  const isSigned = async () => {
    const page = await ask(router, { host, method: 'GET', path: '/' })
    if (page.status !== 200)
      throw new SetupError(`GET / was answered ${page.status}`, `Type: bin/rack logs ${app}`)
    const entries = page.body.split('<li')
    return entries.some((entry) => entry.includes(signature.name) && !entry.includes('class="waiting"'))
  }
  if (await isSigned()) return
  const body = new URLSearchParams(signature).toString()
  const posted = await ask(router, { host, method: 'POST', path: '/entries', body })
  if (posted.status !== 303) {
    throw new SetupError(`POST /entries was answered ${posted.status}`, `Type: bin/rack logs ${app}`)
  }
  const deadline = performance.now() + 10_000
  while (!(await isSigned())) {
    if (performance.now() > deadline) {
      throw new SetupError('the worker published nothing within 10 s', `Type: bin/rack logs ${app}`)
    }
    await delay(100)
  }
}

/** Asks by address and Host header: Node's resolver does not know `*.localhost`. */
function ask(router: URL, question: Question): Promise<Answer> {
  const { host, method, path, body = '' } = question
  const headers = { host, 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }
  const options = { host: router.hostname, port: router.port || 80, method, path, headers }
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, signal: AbortSignal.timeout(15_000) }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
      response.once('error', reject)
    })
    asked.once('error', (error) =>
      reject(new SetupError(`no answer from ${router.origin}`, 'Type: bin/rack doctor', error)),
    )
    asked.end(body)
  })
}

function printNext(router: URL, host: string): void {
  const port = router.port ? `:${router.port}` : ''
  console.log(`
The guestbook is live:  http://${host}${port}/
Browsers and curl know that name; other programs ask like this:
  curl -H 'Host: ${host}' ${router.origin}/

Next, type:
  bin/rack ps --app ${app}
  bin/rack logs --app ${app} -f
  bin/rack env set --app ${app} GREETING=hi --promote
  bin/rack scale --app ${app} web=5
  bin/rack deploy --app ${app} ${source}      (after a change; under load, if you like)
  bin/rack uninstall --rack ${rack} --yes --volumes    (ends it and leaves nothing)`)
}
