import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  plainContainer,
  timeZoneFiles,
  type ContainerOptions,
  type FileMount,
  type HostNamespace,
  type TmpfsMount,
} from '../../src/domain/container.ts'
import type { CopyFailure } from '../../src/domain/deployment.ts'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import { until } from '../../src/lib/poll.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { fileMount, planOf, processPlan } from '../support/plans.ts'
import { deployPlan } from '../support/deploy-plan.ts'

type Rack = Awaited<ReturnType<typeof openDockerRack>>

describe('what a container is given on a real Docker Engine', { concurrency: 3 }, () => {
  let rack: Rack
  let image = ''
  before(async () => {
    rack = await openDockerRack()
    image = await rack.image('busybox:1')
  })
  after(async () => await rack.close())

  const sleeps = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
  const shell = (script: string, overrides: Partial<ProcessPlan> = {}) =>
    processPlan({
      image,
      memoryBytes: 32 * 2 ** 20,
      command: ['sh', '-c', `${script}\n${sleeps}`],
      ...overrides,
    })
  const options = (overrides: Partial<ContainerOptions>): Partial<ProcessPlan> => ({
    container: { ...plainContainer, ...overrides },
  })
  const deploy = async (app: string, processes: ProcessPlan[], volumes: string[] = []) =>
    await deployPlan(
      rack.engine,
      planOf(processes, { owner: appOwner(app), rack: rack.rack, volumes }),
      controlFor(60_000),
    )
  const lines = async (app: string) => {
    const found = await Array.fromAsync(
      rack.engine.logs({ owner: appOwner(app), follow: false }, controlFor(60_000)),
    )
    return found.map(({ text }) => text)
  }
  /** Deploys a process that prints, and gives what it has printed when it says that this is all. */
  const prints = async (
    app: string,
    script: string,
    overrides: Partial<ProcessPlan>,
    volumes: string[] = [],
  ) => {
    await deploy(app, [shell(`${script}\necho "the end"`, overrides)], volumes)
    const wait = { deadlineMs: 60_000, what: 'the last line' }
    const all = await until(async () => {
      const texts = await lines(app)
      return texts.includes('the end') && texts
    }, wait)
    return all.slice(0, all.indexOf('the end'))
  }
  const failsToDeploy = async (app: string, processPlan: ProcessPlan): Promise<RackError> => {
    const error = await deploy(app, [processPlan]).then(
      () => assert.fail('it went through'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof RackError, String(error))
    assert.equal(error.code, 'deploy-failed')
    const [failure] = error.details as CopyFailure[]
    assert.equal(failure?.reason, 'not-started')
    return error
  }
  const containersOf = async (app: string) => {
    const filters = { label: [`com.rack.name=${rack.rack}`, `com.rack.app=${app}`] }
    const query = { all: true, filters }
    return await rack.docker.json<{ Id: string; Labels: Record<string, string> }[]>(
      { path: '/containers/json', query },
      controlFor(60_000),
    )
  }
  const secret = (path: string, content: string, overrides: Partial<FileMount> = {}) =>
    fileMount(path, content, { mode: 0o440, ...overrides })
  const tmpfs = (path: string, overrides: Partial<TmpfsMount> = {}): TmpfsMount => ({
    kind: 'tmpfs',
    path,
    readOnly: false,
    sizeBytes: null,
    mode: null,
    options: [],
    ...overrides,
  })

  test('names, limits and the kernel are as the file says', async () => {
    const script = `hostname; hostname -f; ulimit -n; ulimit -Hn; cat /proc/sys/net/core/somaxconn
      cat /proc/self/oom_score_adj; df -k /dev/shm | tail -1 | awk '{ print $2 }'; id -G
      grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; cat /etc/resolv.conf`
    const given = options({
      hostname: 'till',
      domainname: 'shop.example',
      groups: ['4711'],
      capAdd: ['NET_BIND_SERVICE'],
      capDrop: ['ALL'],
      shmBytes: 8 * 2 ** 20,
      sysctls: { 'net.core.somaxconn': '77' },
      ulimits: [{ name: 'nofile', soft: 1234, hard: 5678 }],
      oomScoreAdj: 123,
      dns: { servers: ['10.99.0.53'], search: ['shop.example'], options: ['ndots:3'] },
    })
    const [name, full, soft, hard, backlog, score, shm, groups, capabilities, privileges, ...resolv] =
      await prints('options', script, given)
    assert.deepEqual([name, full], ['till', 'till.shop.example'])
    assert.deepEqual([soft, hard, backlog, score], ['1234', '5678', '77', '123'])
    assert.equal(shm, String(8 * 1024))
    assert.ok(groups?.split(' ').includes('4711'))
    assert.match(capabilities ?? '', /\t0000000000000400$/)
    assert.match(privileges ?? '', /\t1$/)
    assert.ok(resolv.some((line) => line === 'search shop.example'))
    assert.ok(resolv.some((line) => line.startsWith('options') && line.includes('ndots:3')))
  })

  test('the fewest processes and threads of the file and of the rack', async () => {
    const script = 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null'
    assert.deepEqual(await prints('pids', script, options({ pids: 20 })), ['20'])
    assert.deepEqual(await prints('pids-unlimited', script, options({ pids: -1 })), ['4096'])
  })

  test('a read-only file system, and a directory in memory of its size, mode and options', async () => {
    const script = `touch /nope 2>/dev/null || echo read-only; stat -c %a /scratch
      df -k /scratch | tail -1 | awk '{ print $2 }'; grep -c ' /scratch tmpfs .*noexec' /proc/mounts
      touch /fixed/x 2>/dev/null || echo fixed; touch /cache/x && echo cache; touch /seed/x && ls /seed`
    const mounts: ProcessPlan['mounts'] = [
      tmpfs('/scratch', { sizeBytes: 2 ** 20, mode: 0o1750, options: ['exec', 'uid=1000'] }),
      tmpfs('/fixed', { readOnly: true }),
      { kind: 'discarded', path: '/cache', readOnly: false },
      { kind: 'volume', volume: 'seed', path: '/seed', readOnly: false, noCopy: true },
    ]
    const printed = await prints('readonly', script, { ...options({ readOnly: true }), mounts }, ['seed'])
    assert.deepEqual(printed, ['read-only', '1750', '1024', '0', 'fixed', 'cache', 'x'])
  })

  test('a new volume takes what the image has in its place, unless it is to stay empty', async () => {
    const volume = (path: string, noCopy: boolean) =>
      ({ kind: 'volume', volume: noCopy ? 'empty' : 'filled', path, readOnly: false, noCopy }) as const
    const script = 'ls /bin2 2>/dev/null | wc -l; ls /etc/passwd'
    const filled = await prints('filled', script, { mounts: [volume('/etc', false)] }, ['filled'])
    assert.deepEqual(filled, ['0', '/etc/passwd'])
    const empty = await prints(
      'empty',
      'ls /etc/passwd 2>/dev/null || echo none',
      { mounts: [volume('/etc', true)] },
      ['empty'],
    )
    assert.deepEqual(empty, ['none'])
  })

  test('a directory of the host is mounted; one that is not there fails the deploy, and says so', async () => {
    const source = await mkdtemp(join(tmpdir(), 'rack-bind-'))
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rm(source, { recursive: true, force: true }))
    await writeFile(join(source, 'note'), 'from the host\n')
    const bind = (from: string) => ({ kind: 'bind', source: from, path: '/host', readOnly: true }) as const
    const script = 'cat /host/note; touch /host/x 2>/dev/null || echo read-only'
    const printed = await prints('bind', script, { mounts: [bind(source)] })
    assert.deepEqual(printed, ['from the host', 'read-only'])
    const gone = `${source}-gone`
    const error = await failsToDeploy('bind', shell('', { mounts: [bind(gone)] }))
    assert.match(error.message, new RegExp(`this machine has no ${gone}, which is mounted at /host`))
    assert.match(error.hint ?? '', new RegExp(`What ran before still runs\\. .*mkdir -p ${gone}`))
    assert.equal((await containersOf('bind')).length, 1)
  })

  test('a device of the machine, at the path of the file', async () => {
    const devices = [{ source: '/dev/full', path: '/dev/brimful', permissions: 'rw' }]
    const script = 'echo x 2>&1 >/dev/brimful | grep -c "No space"; ls /dev/brimful'
    assert.deepEqual(await prints('device', script, options({ devices })), ['1', '/dev/brimful'])
  })

  test('an image that somebody has deleted is what a deploy says', async () => {
    const gone = `sha256:${'1'.repeat(64)}`
    const error = await failsToDeploy('gone', shell('', { image: gone }))
    assert.match(error.message, /the image of web is not on this machine any more/)
    assert.match(error.hint ?? '', /Build it again: rack deploy/)
  })

  test('a check whose program the image does not have ends the deploy at once', async () => {
    for (const check of [
      ['CMD', 'curl', 'http://localhost'],
      ['CMD-SHELL', 'curl http://localhost'],
    ]) {
      const healthcheck = {
        test: check,
        intervalMs: 1000,
        timeoutMs: 5000,
        retries: 3,
        startPeriodMs: 600_000,
      }
      const error = await deploy('no-curl', [shell('', { healthcheck })]).then(
        () => assert.fail('it went through'),
        (reason: unknown) => reason as RackError,
      )
      assert.match(error.message, /never became healthy: the health check exited with 12[67]/)
      assert.match(error.hint ?? '', /The image of web does not have what its check runs/)
    }
  })

  test('GPUs that the machine does not have fail the deploy, and are what is said', async () => {
    const gpus = { driver: 'nvidia', count: 1, ids: [], capabilities: ['gpu'] }
    const error = await failsToDeploy('gpu', shell('', options({ gpus })))
    assert.match(error.message, /could not select device driver "nvidia" with capabilities: \[\[gpu\]\]/)
  })

  test('namespaces of the machine, and its name', async () => {
    const kinds: HostNamespace[] = ['cgroup', 'ipc', 'pid', 'user', 'uts']
    const script = `for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done; grep -c '[[:space:]]up$' /etc/hosts`
    const own = await Promise.all(kinds.map((kind) => readlink(`/proc/self/ns/${kind}`)))
    const shared = {
      container: { ...plainContainer, hostNamespaces: kinds, shmBytes: 2 ** 20 },
      extraHosts: [{ host: 'up', address: 'host-gateway' }],
    }
    assert.deepEqual(await prints('namespaces', script, shared), [...own, '1'])
  })

  test('a process has the time zone of the machine, as far as the machine says it', async () => {
    const at = (source: string) => ({ kind: 'bind', source, path: `/zone${source}`, readOnly: true }) as const
    const script =
      'wc -c < /zone/etc/localtime; touch /zone/etc/localtime 2>/dev/null || echo read-only; ls /zone/etc'
    const printed = await prints('zone', script, { mounts: timeZoneFiles.map(at) })
    const present = timeZoneFiles.filter((path) => existsSync(path))
    const { size } = await stat('/etc/localtime')
    assert.deepEqual(printed, [String(size), 'read-only', ...present.map((path) => basename(path)).sort()])
  })

  test('a file has its owner, its directories are root’s, and what was there stays as it was', async () => {
    const files = [
      secret('/tmp/new/deep/key', 'one', { uid: 1000, gid: 70, mode: 0o4400 }),
      secret('/etc/hosts.allow', 'two', { name: 'hosts' }),
    ]
    const script = `stat -c '%a %u %g' /tmp /tmp/new /tmp/new/deep /tmp/new/deep/key /etc/hosts.allow
      cat /tmp/new/deep/key /etc/hosts.allow; echo; ls /etc/passwd`
    assert.deepEqual(await prints('files', script, { files }), [
      '1777 0 0',
      '755 0 0',
      '755 0 0',
      '4400 1000 70',
      '440 0 0',
      'onetwo',
      '/etc/passwd',
    ])
  })

  test('files are there under a read-only file system and below a directory in memory', async () => {
    const files = [secret('/run/secrets/key', 'one'), secret('/etc/deep/app.conf', 'two', { name: 'conf' })]
    const script = 'cat /run/secrets/key /etc/deep/app.conf; echo; touch /etc/x 2>/dev/null || echo read-only'
    const volumes = async () => {
      const { Volumes } = await rack.docker.json<{ Volumes: { Name: string }[] | null }>(
        { path: '/volumes' },
        controlFor(60_000),
      )
      return new Set((Volumes ?? []).map(({ Name }) => Name))
    }
    const mounted = { ...options({ readOnly: true }), files, mounts: [tmpfs('/run'), tmpfs('/tmp')] }
    assert.deepEqual(await prints('sealed', script, mounted), ['onetwo', 'read-only'])
    const [container] = await containersOf('sealed')
    const { Mounts } = await rack.docker.json<{ Mounts: { Type: string; Name: string }[] }>(
      { path: `/containers/${container!.Id}/json` },
      controlFor(60_000),
    )
    const own = Mounts.filter(({ Type }) => Type === 'volume').map(({ Name }) => Name)
    assert.equal(own.length, 2)
    await rack.engine.remove(appOwner('sealed'), { volumes: false }, controlFor(60_000))
    const left = await volumes()
    assert.ok(
      own.every((name) => !left.has(name)),
      'the volumes of files go with their container',
    )
  })

  test('files survive a restart of their container', async () => {
    const files = [secret('/run/secrets/key', 'kept')]
    const mounted = { ...options({ readOnly: true }), files, mounts: [tmpfs('/run')] }
    await prints('restarted', 'cat /run/secrets/key; echo', mounted)
    const [{ id } = { id: '' }] = await rack.engine.processes(
      { owner: appOwner('restarted') },
      controlFor(60_000),
    )
    await rack.engine.exec(id, ['kill', '1'], collectTerminal().terminal, controlFor(60_000))
    const again = async () => (await lines('restarted')).filter((text) => text === 'kept').length === 2
    await until(again, { deadlineMs: 60_000, what: 'the file after the restart' })
  })

  test('a file that cannot be put fails the deploy, and leaves no container', async () => {
    const hidden = await failsToDeploy('nowhere', shell('', { files: [secret('/dev/key', 'hunter2')] }))
    assert.match(hidden.message, /the secret key cannot be put at \/dev\/key/)
    assert.match(hidden.hint ?? '', /\/run\/secrets\/key/)
    const refused = await failsToDeploy('nowhere', shell('', { files: [secret('/bin/sh/key', 'hunter2')] }))
    assert.match(refused.message, /leaves no room for the secret key at \/bin\/sh\/key/)
    const directory = await failsToDeploy('nowhere', shell('', { files: [secret('/etc', 'hunter2')] }))
    assert.match(directory.message, /leaves no room for the secret key at \/etc/)
    assert.match(directory.hint ?? '', /\/run\/secrets\/key/)
    const said = JSON.stringify([hidden, refused, hidden.message, refused.message, refused.details])
    assert.ok(!said.includes('hunter2') && !said.includes(Buffer.from('hunter2').toString('base64')))
    assert.deepEqual(await containersOf('nowhere'), [])
    assert.deepEqual(await rack.addresses.holders('nowhere'), [])
  })

  test('the lines of a process with a terminal arrive whole and once, long ones too', async () => {
    const script = `[ -t 1 ] && [ -t 0 ] && echo terminal
      i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); done
      head -c 40000 /dev/zero | tr '\\0' x; echo; echo "after it" >&2`
    const own = await prints('tty', script, options({ tty: true, stdinOpen: true }))
    assert.equal(own[0], 'terminal')
    assert.deepEqual(
      own.slice(1, 301),
      Array.from({ length: 300 }, (_, index) => `line ${index}`),
    )
    assert.deepEqual(own.slice(301), ['x'.repeat(40_000), 'after it'])
  })

  test('the last lines of a process with a terminal are part of its failure', async () => {
    const failing = processPlan({
      image,
      command: ['sh', '-c', 'echo about to fail; exit 3'],
      ...options({ tty: true }),
    })
    await assert.rejects(deploy('tty-fails', [failing]), (error) => {
      assert.ok(error instanceof RackError)
      assert.deepEqual((error.details as CopyFailure[])[0]?.lastLines, ['about to fail'])
      return true
    })
  })

  test('a one-off has the terminal of a person or none, and its release command none', async () => {
    const given = options({ tty: true, stdinOpen: true, hostname: 'till' })
    const look = ['sh', '-c', '[ -t 1 ] && echo terminal || echo plain; hostname']
    await deploy('one-off', [shell('', { ...given, releaseCommand: look })])
    assert.deepEqual((await lines('one-off')).slice(0, 2), ['plain', 'till'])
    const oneOff = {
      owner: appOwner('one-off'),
      release: 'RAAAAAAAAAA',
      process: shell('', given),
      command: look,
      kind: 'one-off' as const,
      operation: 'OAAAAAAAAAA',
      timeoutMs: null,
    }
    const seen = collectTerminal()
    const attached = await rack.engine.run(oneOff, seen.terminal, controlFor(60_000))
    assert.equal(await attached.exit, 0)
    assert.equal(seen.stdout(), 'plain\ntill\n')
    const { process: running, exit } = await rack.engine.run(oneOff, null, controlFor(60_000))
    assert.equal(await exit, 0)
    const query = { owner: appOwner('one-off'), process: running.id, follow: false }
    const kept = await Array.fromAsync(rack.engine.logs(query, controlFor(60_000)))
    assert.deepEqual(
      kept.map(({ text }) => text),
      ['plain', 'till'],
    )
  })

  test('labels of the file are on the container, beside those of the rack', async () => {
    await deploy('labels', [shell('', { labels: { team: 'till', 'com.rack.app': 'forged' } })])
    const [container] = await containersOf('labels')
    assert.deepEqual([container?.Labels.team, container?.Labels['com.rack.app']], ['till', 'labels'])
  })

  test('an image that says what only a rack may say is not believed', async () => {
    const forged = {
      name: 'other',
      app: 'victim',
      kind: 'timer',
      'timeout-ms': '1',
      attached: 'true',
      volume: 'data',
    }
    const changes = Object.entries(forged).map(([name, value]) => `LABEL com.rack.${name}=${value}`)
    const { Id: container } = await rack.docker.json<{ Id: string }>(
      { method: 'POST', path: '/containers/create', body: { Image: image, Cmd: ['true'] } },
      controlFor(60_000),
    )
    const query = { container, changes: changes.join('\n') }
    const commit = { method: 'POST', path: '/commit', query, body: {} } as const
    const { Id } = await rack.docker.json<{ Id: string }>(commit, controlFor(60_000))
    try {
      await deploy('pretender', [shell('', { image: Id })])
      const [found] = await containersOf('pretender')
      const said = Object.keys(forged).map((name) => found?.Labels[`com.rack.${name}`])
      assert.deepEqual(said, [rack.rack, 'pretender', 'process', '', '', ''])
      assert.deepEqual(await rack.engine.processes({ owner: appOwner('victim') }, controlFor(60_000)), [])
    } finally {
      await rack.engine.remove(appOwner('pretender'), { volumes: true }, controlFor(60_000))
      const force = { query: { force: true }, method: 'DELETE' } as const
      await rack.docker.json({ ...force, path: `/containers/${container}` }, controlFor(60_000))
      await rack.docker.json({ ...force, path: `/images/${Id}` }, controlFor(60_000))
    }
  })
})
