import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { until } from '../../../src/lib/poll.ts'
import { ask, createBalancerWorld, forwardTo } from './one-balancer.ts'
import type { ElbState } from './state.ts'

const soon = { deadlineMs: 5000, intervalMs: 10 }

test('a request goes by host and priority, and says where it came from', async () => {
  await using world = await createBalancerWorld()
  const target = await world.startTarget((request, response) => {
    response.end(JSON.stringify({ url: request.url, headers: request.headers }))
  })
  const group = await world.createGroup('r-one')
  await world.createRule(5, '*.test', group)
  world.elb.targetGroups.register(group, target)
  assert.equal(world.elb.targetGroups.health(group, target), 'initial')
  const port = world.web.loopbackPort(80)
  await world.healthy(group, target)
  const told = await until(
    async () => {
      const answer = await ask(port, {
        host: 'a.test:8080',
        path: '/x?y',
        headers: { 'x-forwarded-for': '1.2.3.4' },
      })
      return answer.status === 200 && JSON.parse(answer.body)
    },
    { ...soon, what: 'an answer' },
  )
  assert.equal(told.url, '/x?y')
  assert.equal(told.headers.host, 'a.test:8080')
  assert.equal(told.headers['x-forwarded-for'], '1.2.3.4, 127.0.0.1')
  assert.equal(told.headers['x-forwarded-proto'], 'http')
  assert.equal(told.headers['x-forwarded-port'], '80')
  assert.equal((await ask(port, { host: 'other.example' })).status, 404)
})

test('without a target it is 503, from a target that is gone 502, and one that is late 504', async () => {
  await using world = await createBalancerWorld({ idleTimeoutSeconds: 60 })
  const group = await world.createGroup('r-one')
  await world.createRule(5, 'a.test', group)
  const port = world.web.loopbackPort(80)
  const status = async (wanted: number) =>
    await until(async () => (await ask(port, { host: 'a.test' })).status === wanted, {
      ...soon,
      what: `${wanted}`,
    })
  await status(503)
  const target = await world.startTarget((request, response) => {
    if (request.url === '/') response.end('here')
  })
  world.elb.targetGroups.register(group, target)
  await status(200)
  assert.equal((await ask(port, { host: 'a.test', path: '/never' })).status, 504)
  target.server.closeAllConnections()
  target.server.close()
  await status(502)
  // All are unhealthy, so the balancer fails open: it still asks the target.
  await until(() => world.elb.targetGroups.health(group, target) === 'unhealthy', {
    ...soon,
    what: 'unhealthy',
  })
  await status(502)
})

test('what is under way to a draining target ends, and nothing new reaches it', async () => {
  await using world = await createBalancerWorld()
  const held = Promise.withResolvers<void>()
  const slow = await world.startTarget((request, response) => {
    if (request.url === '/slow') {
      response.write('begun ')
      void held.promise.then(() => response.end('old'))
    } else response.end('old')
  })
  const fresh = await world.startTarget((_, response) => response.end('new'))
  const group = await world.createGroup('r-one')
  await world.createRule(5, 'a.test', group)
  world.elb.targetGroups.register(group, slow)
  await world.healthy(group, slow)
  const port = world.web.loopbackPort(80)
  const inFlight = ask(port, { host: 'a.test', path: '/slow' })
  world.elb.targetGroups.register(group, fresh)
  await world.healthy(group, fresh)
  let isDrained = false
  const drained = world.elb.targetGroups.deregister(group, slow).then(() => (isDrained = true))
  assert.equal(world.elb.targetGroups.health(group, slow), 'draining')
  for (let at = 0; at < 10; at++) assert.equal((await ask(port, { host: 'a.test' })).body, 'new')
  assert.equal(isDrained, false)
  held.resolve()
  assert.equal((await inFlight).body, 'begun old')
  await drained
  assert.equal(world.elb.targetGroups.health(group, slow), 'unused')
})

test('draining is over when its delay is, and cuts what is still under way', async () => {
  await using world = await createBalancerWorld()
  const begun = Promise.withResolvers<void>()
  const target = await world.startTarget((request, response) => {
    if (request.url !== '/slow') return void response.end()
    response.write('begun ')
    begun.resolve()
  })
  const group = await world.createGroup('r-one')
  const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '1' }]
  await world.act('ModifyTargetGroupAttributes', { TargetGroupArn: group, Attributes })
  await world.createRule(5, 'a.test', group)
  world.elb.targetGroups.register(group, target)
  await world.healthy(group, target)
  const cut = assert.rejects(ask(world.web.loopbackPort(80), { host: 'a.test', path: '/slow' }))
  await begun.promise
  await world.elb.targetGroups.deregister(group, target)
  await cut
})

test('swapped priorities move all requests, and none is lost', async () => {
  await using world = await createBalancerWorld()
  const groups: string[] = []
  const rules: string[] = []
  for (const [at, name] of ['old', 'new'].entries()) {
    const target = await world.startTarget((_, response) => response.end(name))
    groups.push(await world.createGroup(`r-${name}`))
    rules.push(await world.createRule(5 + at, 'a.test', groups[at]!))
    world.elb.targetGroups.register(groups[at]!, target)
    // A waiting rule suffices for checks.
    await world.healthy(groups[at]!, target)
  }
  const port = world.web.loopbackPort(80)
  const body = async () => {
    const { status, body } = await ask(port, { host: 'a.test' })
    assert.equal(status, 200)
    return body
  }
  assert.equal(await body(), 'old')
  const RulePriorities = rules.map((RuleArn, at) => ({ RuleArn, Priority: 6 - at }))
  await world.act('SetRulePriorities', { RulePriorities })
  let inARow = 0
  await until(async () => (inARow = (await body()) === 'new' ? inARow + 1 : 0) > 20, { ...soon, what: 'new' })
})

test('weights share out requests, and a cookie keeps a client where it is', async () => {
  await using world = await createBalancerWorld()
  const groups: string[] = []
  for (const name of ['one', 'two', 'none']) {
    const group = await world.createGroup(`r-${name}`)
    groups.push(group)
    await world.createRule(10 + groups.length, `${name}.test`, group)
    for (let at = 0; at < 2; at++) {
      const target = await world.startTarget((_, response) => response.end(`${name}${at}`))
      world.elb.targetGroups.register(group, target)
      await world.healthy(group, target)
    }
  }
  await world.createRule(
    5,
    'a.test',
    groups.map((arn, at) => ({ arn, weight: [3, 1, 0][at]! })),
  )
  const Attributes = [{ Key: 'stickiness.enabled', Value: 'true' }]
  await world.act('ModifyTargetGroupAttributes', { TargetGroupArn: groups[0], Attributes })
  const port = world.web.loopbackPort(80)
  await until(async () => (await ask(port, { host: 'a.test' })).status === 200, { ...soon, what: 'the rule' })
  const counts: Record<string, number> = { one: 0, two: 0 }
  for (let at = 0; at < 200; at++) {
    const { status, body } = await ask(port, { host: 'a.test' })
    if (status === 200) counts[body.slice(0, -1)]! += 1
  }
  assert.deepEqual(Object.keys(counts), ['one', 'two'])
  assert.ok(counts.one! > counts.two! && counts.two! > 20, JSON.stringify(counts))
  const first = await ask(port, { host: 'one.test' })
  const cookie = String(first.headers['set-cookie']).split(';', 1)[0]!
  for (let at = 0; at < 6; at++) {
    assert.equal((await ask(port, { host: 'one.test', headers: { cookie } })).body, first.body)
  }
})

test('bodies flow both ways without being held, and WebSockets stay open', async () => {
  await using world = await createBalancerWorld()
  const target = await world.startTarget((request, response) => request.pipe(response))
  const sockets = new WebSocketServer({ server: target.server })
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => socket.send(`got ${(data as Buffer).toString()}`)),
  )
  const group = await world.createGroup('r-one')
  await world.createRule(5, 'a.test', group)
  world.elb.targetGroups.register(group, target)
  await world.healthy(group, target)
  const port = world.web.loopbackPort(80)
  const body = 'x'.repeat(3_000_000)
  assert.equal((await ask(port, { host: 'a.test', method: 'POST', body })).body.length, body.length)
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'a.test' } })
  await once(client, 'open')
  client.send('hello')
  const [data] = (await once(client, 'message')) as [Buffer]
  assert.equal(String(data), 'got hello')
  client.close()
  await once(client, 'close')
})

test('a rule may redirect, answer itself, and ask for an address', async () => {
  await using world = await createBalancerWorld()
  const ListenerArn = world.web.listeners.get(80)!.arn
  const make = async (Priority: number, host: string, action: object, ranges?: string[]) => {
    const Conditions = [
      { Field: 'host-header', Values: [host] },
      ...(ranges ? [{ Field: 'source-ip', SourceIpConfig: { Values: ranges } }] : []),
    ]
    await world.act('CreateRule', { ListenerArn, Priority, Conditions, Actions: [action] })
  }
  const RedirectConfig = { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' }
  await make(1, 'r.test', { Type: 'redirect', RedirectConfig })
  const fixed = (MessageBody: string) => ({
    Type: 'fixed-response',
    FixedResponseConfig: { StatusCode: '200', MessageBody },
  })
  await make(2, 'f.test', fixed('far'), ['10.0.0.0/8'])
  await make(3, 'f.test', fixed('near'), ['127.0.0.0/8'])
  const port = world.web.loopbackPort(80)
  await until(async () => (await ask(port, { host: 'f.test' })).body === 'near', {
    ...soon,
    what: 'the rules',
  })
  const moved = await until(
    async () => {
      const answer = await ask(port, { host: 'r.test', path: '/a?b=c' })
      return answer.status === 301 && answer
    },
    { ...soon, what: 'the redirect' },
  )
  assert.equal(moved.headers.location, 'https://r.test:443/a?b=c')
})

test('a tcp listener leads to a target that was slow to become healthy, and follows its listener', async (t) => {
  await using world = await createBalancerWorld({ closed: [50_001] })
  const starts = ['one', 'two'].map(async (name) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).write(name)
      socket.pipe(socket)
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    return { address: '127.0.0.1', port: (server.address() as AddressInfo).port, server }
  })
  const targets = await Promise.all(starts)
  const groups: string[] = []
  const listeners: string[] = []
  const opened = world.account.clock.now()
  for (const [at, target] of targets.entries()) {
    const TargetGroupArn = await world.createGroup(`r-${at}`, { Protocol: 'TCP' })
    groups.push(TargetGroupArn)
    const listener = { LoadBalancerArn: world.net.arn, Protocol: 'TCP', Port: [5432, 50_001][at] }
    const { Listeners } = await world.act('CreateListener', {
      ...listener,
      DefaultActions: [forwardTo(TargetGroupArn)],
    })
    listeners.push(Listeners[0].ListenerArn)
    world.elb.targetGroups.register(TargetGroupArn, target)
  }
  await Promise.all(groups.map((group, at) => world.healthy(group, targets[at]!)))
  assert.ok(world.account.clock.now() >= opened + 60_000)
  assert.throws(() => world.net.loopbackPort(50_001), /takes anything on port 50001/)
  const port = world.net.loopbackPort(5432)
  const first = connect(port, '127.0.0.1')
  assert.equal(String((await once(first, 'data'))[0]), 'one')
  await world.act('ModifyListener', { ListenerArn: listeners[0], DefaultActions: [forwardTo(groups[1]!)] })
  const greets = async () => {
    const socket = connect(port, '127.0.0.1')
    const [data] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return String(data)
  }
  await until(async () => (await greets()) === 'two', { ...soon, what: 'the new group' })
  // A connection stays where it is.
  first.end('still here')
  assert.equal(String((await once(first, 'data'))[0]), 'still here')
  await once(first, 'close')
  await world.act('DeleteListener', { ListenerArn: listeners[0] })
  await assert.rejects(greets(), { code: 'ECONNREFUSED' })
})

test('nothing is lost under load when releases follow each other', async () => {
  await using world = await createBalancerWorld({ factor: 100 })
  const port = world.web.loopbackPort(80)
  const agent = new Agent({ keepAlive: true })
  const start = async (text: string) => {
    const target = await world.startTarget((_, response) => {
      const timer = setTimeout(() => response.end(text), Math.random() * 20)
      response.on('close', () => clearTimeout(timer))
    })
    const group = await world.createGroup(`r-${text}`)
    return { target, group }
  }
  let live = await start('v0')
  let rule = await world.createRule(2, 'a.test', live.group)
  world.elb.targetGroups.register(live.group, live.target)
  await world.healthy(live.group, live.target)
  // Rules have reached every node by then.
  await world.account.clock.pass(10_000)
  const ending = new AbortController()
  const seen = new Map<string, number>()
  const visit = async () => {
    while (!ending.signal.aborted) {
      const { status, body } = await ask(port, { host: 'a.test', agent })
      const what = `${status} ${status === 200 ? body : ''}`
      seen.set(what, (seen.get(what) ?? 0) + 1)
    }
  }
  const visitors = [visit(), visit(), visit(), visit()]
  for (const text of ['v1', 'v2', 'v3']) {
    const next = await start(text)
    const nextRule = await world.createRule(20_001, 'a.test', next.group)
    world.elb.targetGroups.register(next.group, next.target)
    await world.healthy(next.group, next.target)
    await world.act('SetRulePriorities', {
      RulePriorities: [
        { RuleArn: nextRule, Priority: 2 },
        { RuleArn: rule, Priority: 20_001 },
      ],
    })
    await world.account.clock.pass(10_000)
    await world.elb.targetGroups.deregister(live.group, live.target)
    live.target.server.close()
    await world.act('DeleteRule', { RuleArn: rule })
    await world.act('DeleteTargetGroup', { TargetGroupArn: live.group })
    live = next
    rule = nextRule
  }
  ending.abort()
  await Promise.all(visitors)
  agent.destroy()
  assert.deepEqual([...seen.keys()].toSorted(), ['200 v0', '200 v1', '200 v2', '200 v3'])
  assert.deepEqual(world.account.troubles, [])
})

test('a client that leaves takes its request with it, and a slow one holds its target back', async () => {
  await using world = await createBalancerWorld()
  let sent = 0
  let isLeft = false
  const target = await world.startTarget((request, response) => {
    const chunk = Buffer.alloc(64 * 1024)
    const more = () => {
      while (!response.destroyed && sent < 2000 * chunk.length) {
        sent += chunk.length
        if (!response.write(chunk)) return void response.once('drain', more)
      }
    }
    if (request.url !== '/much') return void response.end()
    response.on('close', () => (isLeft = !response.writableFinished))
    more()
  })
  const group = await world.createGroup('r-one')
  await world.createRule(5, 'a.test', group)
  world.elb.targetGroups.register(group, target)
  await world.healthy(group, target)
  const client = connect(world.web.loopbackPort(80), '127.0.0.1')
  client.pause().write('GET /much HTTP/1.1\r\nHost: a.test\r\n\r\n')
  const seen: number[] = []
  const isStuck = () => seen.push(sent) > 20 && sent > 0 && seen.slice(-20).every((bytes) => bytes === sent)
  await until(isStuck, { ...soon, what: 'the target to be held back' })
  assert.ok(sent < 2000 * 64 * 1024, `${sent} bytes were taken`)
  client.destroy()
  await until(() => isLeft, { ...soon, what: 'the target to be left' })
})

test('a tcp target is told the client’s address where it asks for it, and is cut off when its delay is over', async () => {
  await using world = await createBalancerWorld()
  const heard: Buffer[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data: Buffer) => {
      // A check connects and says nothing.
      heard.push(data)
      socket.write('hello')
    })
  })
    .listen(0, '127.0.0.1')
    .unref()
  await once(server, 'listening')
  const target = { address: '127.0.0.1', port: (server.address() as AddressInfo).port }
  const group = await world.createGroup('r-tcp', { Protocol: 'TCP' })
  const Attributes = [
    { Key: 'proxy_protocol_v2.enabled', Value: 'true' },
    { Key: 'deregistration_delay.connection_termination.enabled', Value: 'true' },
    { Key: 'deregistration_delay.timeout_seconds', Value: '1' },
    { Key: 'stickiness.enabled', Value: 'true' },
    { Key: 'stickiness.type', Value: 'source_ip' },
  ]
  await world.act('ModifyTargetGroupAttributes', { TargetGroupArn: group, Attributes })
  const DefaultActions = [forwardTo(group)]
  await world.act('CreateListener', {
    LoadBalancerArn: world.net.arn,
    Protocol: 'TCP',
    Port: 5432,
    DefaultActions,
  })
  world.elb.targetGroups.register(group, target)
  await world.healthy(group, target)
  const silent = connect(world.net.loopbackPort(5432), '127.0.0.1')
  const client = connect(world.net.loopbackPort(5432), '127.0.0.1')
  for (const each of [silent, client]) each.on('error', () => undefined)
  await once(silent, 'connect')
  client.write('ask')
  await once(client, 'data')
  const [header, ...others] = heard
  assert.ok(header)
  assert.deepEqual(others, [], 'of who says nothing nothing is told')
  silent.destroy()
  assert.equal(header.toString('hex', 0, 16), '0d0a0d0a000d0a515549540a2111000c')
  assert.deepEqual([...header.subarray(16, 20)], [127, 0, 0, 1])
  assert.equal(header.readUInt16BE(24), client.localPort)
  const closed = Promise.withResolvers<void>()
  client.on('close', () => closed.resolve())
  await world.elb.targetGroups.deregister(group, target)
  await closed.promise
  // Nobody is left to lead to: a connection is reset.
  const late = connect(world.net.loopbackPort(5432), '127.0.0.1')
  await assert.rejects(once(late, 'data'), { code: 'ECONNRESET' })
  server.close()
})

test('what one client says by udp goes to one target, is answered, and follows the listener when it is a new flow', async () => {
  await using world = await createBalancerWorld()
  await using one = await startUdpTarget('one')
  await using two = await startUdpTarget('two')
  const groups: string[] = []
  for (const { name } of [one, two]) {
    const checks = { HealthCheckProtocol: 'TCP', HealthCheckPort: String(one.checked) }
    groups.push(await world.createGroup(`r-${name}`, { Protocol: 'UDP', ...checks }))
  }
  const listener = { LoadBalancerArn: world.net.arn, Protocol: 'UDP', Port: 53 }
  const { Listeners } = await world.act('CreateListener', {
    ...listener,
    DefaultActions: [forwardTo(groups[0]!)],
  })
  const { ListenerArn } = Listeners[0]
  const waiting = { ...listener, Port: 60_000, DefaultActions: [forwardTo(groups[1]!)] }
  await world.act('CreateListener', waiting)
  for (const [at, target] of [one, two].entries()) world.elb.targetGroups.register(groups[at]!, target)
  await world.healthy(groups[0]!, one)
  await world.healthy(groups[1]!, two)
  const port = world.net.loopbackPort(53)
  await using first = await openFlow(port)
  await using other = await openFlow(port)
  assert.deepEqual([await first.ask('a'), await other.ask('b')], ['one a', 'one b'])
  await world.act('ModifyListener', { ListenerArn, DefaultActions: [forwardTo(groups[1]!)] })
  const isNew = async () => {
    await using flow = await openFlow(port)
    return (await flow.ask('c')) === 'two c'
  }
  await until(isNew, { ...soon, what: 'the new group' })
  assert.equal(await first.ask('d'), 'one d')
  // Until its target has gone.
  const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '0' }]
  await world.act('ModifyTargetGroupAttributes', { TargetGroupArn: groups[0], Attributes })
  await world.elb.targetGroups.deregister(groups[0]!, one)
  assert.equal(await first.ask('e'), 'two e')
})

test('a network balancer takes what its security groups let in, and cuts the rest', async () => {
  const open = new Set(['tcp 5432'])
  const asked = new Set<string>()
  const letsIn: ElbState['letsIn'] = ([group], { protocol, port, address }) => {
    asked.add(`${protocol} ${port}`)
    return group === 'sg-1' && address === '127.0.0.1' && open.has(`${protocol} ${port}`)
  }
  await using world = await createBalancerWorld({ letsIn })
  await using one = await startUdpTarget('one')
  const checks = { HealthCheckProtocol: 'TCP', HealthCheckPort: String(one.checked) }
  const udp = await world.createGroup('r-udp', { Protocol: 'UDP', ...checks })
  const tcp = await world.createGroup('r-tcp', { Protocol: 'TCP', ...checks })
  const LoadBalancerArn = world.net.arn
  const listen = async (Protocol: string, Port: number, group: string) =>
    await world.act('CreateListener', { LoadBalancerArn, Protocol, Port, DefaultActions: [forwardTo(group)] })
  await listen('UDP', 53, udp)
  await listen('TCP', 5432, tcp)
  const target = { address: one.address, port: one.checked }
  world.elb.targetGroups.register(udp, one)
  world.elb.targetGroups.register(tcp, target)
  await world.healthy(udp, one)
  await world.healthy(tcp, target)
  const said = async () => {
    const socket = connect(world.net.loopbackPort(5432), '127.0.0.1')
    return await text(socket).catch(() => null)
  }
  assert.equal(await said(), 'hello')
  open.clear()
  assert.notEqual(await said(), 'hello')
  // What was not let in was not heard: the second one is.
  await using flow = await openFlow(world.net.loopbackPort(53))
  const answer = flow.ask('a')
  await until(() => asked.has('udp 53'), { ...soon, what: 'who knocks' })
  open.add('udp 53')
  flow.send('b')
  assert.equal(await answer, 'one b')
})

test('a flow that is silent for two minutes is forgotten', async () => {
  await using world = await createBalancerWorld({ factor: 2000 })
  await using one = await startUdpTarget('one')
  const checks = { HealthCheckProtocol: 'TCP', HealthCheckPort: String(one.checked) }
  const group = await world.createGroup('r-one', { Protocol: 'UDP', ...checks })
  const Port = 53
  const DefaultActions = [forwardTo(group)]
  await world.act('CreateListener', { LoadBalancerArn: world.net.arn, Protocol: 'UDP', Port, DefaultActions })
  world.elb.targetGroups.register(group, one)
  await world.healthy(group, one)
  await using flow = await openFlow(world.net.loopbackPort(Port))
  await flow.ask('a')
  const [before] = one.heardFrom
  await until(
    async () => {
      await world.account.clock.pass(121_000)
      await flow.ask('b')
      return one.heardFrom.size > 1
    },
    { ...soon, what: 'another flow' },
  )
  assert.ok(one.heardFrom.has(before!))
})

/** A process that says its name to each datagram, and takes connections beside. */
async function startUdpTarget(name: string) {
  const socket = createSocket('udp4')
  const heardFrom = new Set<number>()
  socket.on('message', (said, { address, port }) => {
    heardFrom.add(port)
    socket.send(`${name} ${String(said)}`, port, address)
  })
  const listening = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await listening
  const server = createServer((client) => client.on('error', () => undefined).end('hello')).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  return {
    name,
    address: '127.0.0.1',
    port: socket.address().port,
    checked: (server.address() as AddressInfo).port,
    /** Ports of the balancer: one a flow. */
    heardFrom,
    async [Symbol.asyncDispose]() {
      socket.close()
      server.close()
    },
  }
}

/** One address and port that asks again and again. */
async function openFlow(port: number) {
  const socket = createSocket('udp4')
  return {
    send(text: string): void {
      socket.send(text, port, '127.0.0.1')
    },
    async ask(text: string): Promise<string> {
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) })
      socket.send(text, port, '127.0.0.1')
      return String((await answer)[0])
    },
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}
