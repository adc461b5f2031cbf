import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Manifest } from '../../domain/manifest.ts'
import type { Operations } from '../../operations/operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const good = 'services:\n  web:\n    image: nginx\n    ports: ["80:80"]\n'

/** Types in a folder that has these files. */
async function check(args: string[], files: Record<string, string>, rack?: Partial<Operations>) {
  const cwd = await mkdtemp(join(tmpdir(), 'rack-manifest-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, path)), { recursive: true })
      await writeFile(join(cwd, path), text)
    }
    return await typeCommand(['manifest', 'check', ...args], { cwd, ...(rack && { rack }) })
  } finally {
    await rm(cwd, { recursive: true })
  }
}

test('a good file shows its processes, without any rack', async () => {
  const { code, stdout, stderr } = await check(['--app', 'shop'], { 'compose.yaml': good })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.match(stdout, /^PROCESS +COUNT +CPU +MEMORY +FROM .*\nweb +1 +128 +256 MiB +nginx +80→80 http/)
  assert.match(stdout, /\nweb +shop\.localhost, web\.shop\.localhost +web/)
  assert.match(stdout, /compose\.yaml: no problems; keys: /)
})

test('every problem is shown with its place, and the exit code is 1', async () => {
  const text = 'services:\n  web:\n    image: nginx\n    prots: ["80:80"]\n    privileged: true\n'
  const { code, stdout } = await check([], { 'docker-compose.yml': text })
  assert.equal(code, 1)
  assert.match(stdout, /^docker-compose\.yml:4:5: error: services\.web\.prots: .*"ports"/)
  assert.match(stdout, /\ndocker-compose\.yml:5:17: error: services\.web\.privileged: /)
  assert.match(stdout, /docker-compose\.yml: 2 errors; keys: /)
  const json = await check(['--json'], { 'docker-compose.yml': text })
  assert.equal(json.code, 1)
  assert.equal((JSON.parse(json.stdout) as { problems: unknown[] }).problems.length, 2)
})

test('paths belong to the folder of the file, or of the directory', async () => {
  const text = 'services:\n  web:\n    image: nginx\n    env_file: web.env\n'
  const files = { 'app/compose.yml': text, 'app/web.env': 'A=1\n', 'app/more.yml': good }
  assert.equal((await check(['app/compose.yml', 'app/more.yml'], files)).code, 0)
  assert.equal((await check(['app'], files)).code, 0)
  assert.equal((await check(['--dir', 'app', 'compose.yml'], files)).code, 0)
  assert.equal((await check(['app', 'more.yml'], files)).code, 2)
})

test('with an environment, a variable without a value is an error', async () => {
  const text = 'services:\n  web:\n    image: nginx\n    user: ${WHO:?which one}\n'
  const files = { 'compose.yml': text, 'good.env': "WHO='node'\n", 'empty.env': '' }
  assert.equal((await check([], files)).code, 0)
  assert.equal((await check(['--env-file', 'empty.env'], files)).code, 1)
  const { code, stdout } = await check(['--env-file', 'good.env', '--resolved', '--json'], files)
  assert.equal(code, 0)
  assert.equal((JSON.parse(stdout) as Manifest).processes[0]?.user, 'node')
  const printed = await check(['--env-file', 'good.env', '--resolved'], files)
  assert.match(printed.stdout, /^services:\n  web:\n    image: nginx\n.*\n    user: node\n/s)
  assert.equal((await check(['--resolved'], { 'compose.yml': printed.stdout })).stdout, printed.stdout)
})

test('a path that a policy allows is a path of a machine', async () => {
  const { code, stderr } = await check(['--allow-bind', 'srv/shared'], { 'compose.yml': good })
  assert.equal(code, 1)
  assert.match(stderr, /"srv\/shared" is not an absolute path/)
})

test('a file is read for the kind of rack that is named', async () => {
  const text = 'services:\n  web:\n    image: nginx\n    ports: ["53:53", "53:53/udp"]\n    dns: 10.0.0.53\n'
  const files = { 'compose.yml': text }
  const docker = await check(['--for', 'docker'], files)
  assert.equal(docker.code, 0)
  assert.doesNotMatch(docker.stdout, /error/)
  const aws = await check(['--for', 'aws'], files)
  assert.equal(aws.code, 1)
  assert.match(
    aws.stdout,
    /\ncompose\.yml:5:5: error: services\.web\.dns: "dns" is refused: .*; use `extra_hosts`/,
  )
  assert.match(aws.stdout, /\ncompose\.yml, for aws: 3 errors; keys: .*1 refused/)
  const engineOf = async (...args: string[]) => {
    const { stdout } = await check([...args, '--json'], { 'compose.yml': good })
    return (JSON.parse(stdout) as { engine: string }).engine
  }
  assert.deepEqual([await engineOf(), await engineOf('--for', 'aws')], ['docker', 'aws'])
  const wrong = await check(['--for', 'kubernetes'], files)
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /there is no kind of rack "kubernetes"\n.*One of: docker, aws/)
})

test('all verdicts are shown when they are asked for', async () => {
  const { stdout } = await check(['--verdicts'], { 'compose.yml': good })
  assert.match(stdout, /compose\.yml:3:5 +services\.web\.image +honoured/)
})

test('no compose file is said with what to type', async () => {
  const { code, stderr } = await check([], {})
  assert.equal(code, 1)
  assert.match(stderr, /no compose file/)
})

test('what is said of many processes is one line, and each its own with --verdicts', async () => {
  const process = (name: string) => `  ${name}: { image: x, restart: always }\n`
  const text = `services:\n${['a', 'b', 'c'].map(process).join('')}`
  const { stdout } = await check([], { 'docker-compose.yml': text })
  assert.match(stdout, /:2:18 +services\.\*\.restart \(3×\) +translated/)
  assert.equal(stdout.match(/translated/g)?.length, 2, stdout)
  const { stdout: whole } = await check(['--verdicts'], { 'docker-compose.yml': text })
  assert.match(whole, /services\.c\.restart +translated/)
})

test('files of other tools are told, with what does the same', async () => {
  const files = { 'docker-compose.yml': good, 'config/deploy.yml': 'service: shop\n', DOKKU_SCALE: 'web=2\n' }
  const { code, stderr } = await check([], files)
  assert.equal(code, 0)
  assert.match(
    stderr,
    /^config\/deploy\.yml is Kamal's and has no effect: .*`rack deploy`.*`rack releases rollback`/m,
  )
  assert.match(stderr, /^DOKKU_SCALE is Dokku's .*`rack scale web=2`/m)
  assert.equal((await check([], { 'docker-compose.yml': good })).stderr, '')
})

test('with --live, what a scale owns of the file is told, with what hands it back', async () => {
  const web = { count: 4, cpuUnits: 128, memoryBytes: 256 * 2 ** 20 }
  const rack = { getFormation: async () => ({ web }) }
  const { code, stderr, requests } = await check(['--app', 'shop', '--live'], { 'compose.yaml': good }, rack)
  assert.equal(code, 0)
  assert.match(stderr, /^web: the file says 1 copy where it has 4 copies, .*rack scale web --from-file/)
  assert.equal(requests.length, 1)
  const json = await check(['--app', 'shop', '--live', '--json'], { 'compose.yaml': good }, rack)
  assert.equal((JSON.parse(json.stdout) as { unheard: { type: string }[] }).unheard[0]?.type, 'web')
})
