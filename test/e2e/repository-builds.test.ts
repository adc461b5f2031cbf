import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

const dockerfile = 'FROM busybox:1\nCOPY . /www/\nCMD ["httpd", "-f", "-p", "80", "-h", "/www"]\n'

/** Serves the repositories of a directory, as a server of git does. */
async function serveGit(directory: string) {
  const port = await freePort()
  const program = join(execFileSync('git', ['--exec-path']).toString().trim(), 'git-daemon')
  const words = [
    '--export-all',
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--base-path=${directory}`,
    directory,
  ]
  const daemon = spawn(program, words, { stdio: 'ignore' })
  const ended = once(daemon, 'exit')
  const answers = async () => {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    return isOpen
  }
  await until(answers, { deadlineMs: 30_000, what: 'the server of git' })
  return {
    url: `git://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGKILL')
      await ended
    },
  }
}

test('a build of a repository is fetched by the command line, follows its branch, and is in no other build', async () => {
  await using rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  await using repositories = await makeSource({
    'site/web/Dockerfile': dockerfile,
    'site/web/index.html': 'of the repository',
    'site/web/draft.html': 'a draft',
    'site/web/.dockerignore': 'draft.html\n',
    'site/README': 'not built',
  })
  const root = join(repositories.path, 'site')
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words])
  git('init', '--quiet', '--initial-branch', 'main')
  git('add', '.')
  git('commit', '--quiet', '-m', 'first')
  await using server = await serveGit(repositories.path)
  await using source = await makeSource({
    'docker-compose.yml': `services:
  web:
    build: "${server.url}/site#main:web"
    ports: ["80:80"]
    stop_grace_period: 1s
    labels: { rack.draining.timeout: 1 }
  own:
    build: .
    stop_grace_period: 1s
`,
    Dockerfile: dockerfile,
    'index.html': 'of the source',
  })
  const deploy = async () => await rack.attempt(['deploy', '--app', 'shop', source.path])
  const page = async (path = '/') => await ask({ port: rack.httpPort, host: 'shop.localhost', path })
  const first = await deploy()
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stderr, /fetching git:\/\/127\.0\.0\.1:\d+\/site#main/)
  assert.match(first.stderr, /is fetched at each build by git .*name a commit/)
  assert.deepEqual(await page(), { status: 200, body: 'of the repository' })
  assert.equal((await page('/draft.html')).status, 404, 'its .dockerignore holds')
  assert.equal((await page('/README')).status, 404, 'the folder alone is built')
  const own = await rack.run(
    'exec',
    'own',
    '--app',
    'shop',
    '--',
    'sh',
    '-c',
    'cat /www/index.html; ls -A /www',
  )
  assert.match(own, /^of the source/)
  assert.doesNotMatch(own, /\.rack/, 'what was fetched is one build’s alone')

  await repositories.write({ 'site/web/index.html': 'changed' })
  git('commit', '--quiet', '-am', 'second')
  assert.equal((await deploy()).code, 0)
  assert.equal((await page()).body, 'changed')

  await source.write({ 'docker-compose.yml': `services: { web: { build: "${server.url}/none#main" } }\n` })
  const missing = await deploy()
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /none#main cannot be fetched: .*\n.*git ls-remote URL/)
})
