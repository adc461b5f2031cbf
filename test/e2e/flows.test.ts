import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { test, type TestContext } from 'node:test'
import { connect as connectByTls } from 'node:tls'
import { WebSocket } from 'ws'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

/** One message of a websocket after the other, each in a frame of its own. */
const talking = `
  const { createHash } = require('node:crypto')
  const said = (text) => Buffer.from(process.env.WORD + ' ' + text)
  require('node:http').createServer((request, response) => response.end(said('page'))).on('upgrade', ({ headers }, socket) => {
    const accept = createHash('sha1').update(headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: ' + accept]
    socket.write(head.join('\\r\\n') + '\\r\\n\\r\\n')
    socket.on('error', () => {}).on('data', (frame) => {
      if ((frame[0] & 15) !== 1) return socket.end()
      const text = said(frame.subarray(6, 6 + (frame[1] & 127)).map((byte, at) => byte ^ frame[2 + at % 4]))
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]))
    })
  }).listen(3000)`
const calling = `
  require('node:http2').createServer().on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.on('error', () => {}).on('data', (text) => stream.write(process.env.WORD + ' ' + text))
  }).listen(3000)`
const echoing = `
  const udp = require('node:dgram').createSocket('udp4')
  udp.on('message', (text, { port, address }) => udp.send(process.env.WORD + ' ' + text, port, address))
  udp.bind(5353)`

const composeOf = (word: string, udpPort: number) =>
  JSON.stringify({
    services: {
      web: processOf(talking, word, '80:3000'),
      rpc: processOf(calling, word, '80:3000', { 'rack.port.80.upstream': 'h2c' }),
      dns: processOf(echoing, word, `${udpPort}:5353/udp`),
    },
  })

function processOf(program: string, word: string, port: string, labels: Record<string, string> = {}) {
  return {
    image: 'node:24-slim',
    command: ['node', '-e', program.replaceAll('$', '$$')],
    environment: { WORD: word },
    ports: [port],
    stop_grace_period: '1s',
    labels: { 'rack.draining.timeout': '600', ...labels },
    deploy: { resources: { limits: { cpus: '0.1', memory: '64M' } } },
  }
}

/** Something that goes on through a deploy: it says a word, and hears it from the copy that it has. */
type Flow = (text: string) => Promise<string>

async function openWebSocket(t: TestContext, port: number, ca: string): Promise<Flow> {
  const servername = 'flows.localhost'
  const createConnection = () => connectByTls({ port, host: '127.0.0.1', servername, ca })
  const socket = new WebSocket(`wss://${servername}:${port}/`, { createConnection })
  t.after(() => socket.terminate())
  await once(socket, 'open')
  return async (text) => {
    socket.send(text)
    return String(((await once(socket, 'message')) as [Buffer])[0])
  }
}

/** As a client of gRPC does: one stream of HTTP/2, both halves open. */
async function openCall(t: TestContext, port: number, ca: string): Promise<Flow> {
  const name = 'rpc.flows.localhost'
  const session = connectHttp2(`https://${name}:${port}`, {
    ca,
    servername: name,
    lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  })
  t.after(() => session.destroy())
  const stream = session.request({ ':method': 'POST', ':path': '/echo.Echo/Say' }, { endStream: false })
  await once(stream, 'response')
  return async (text) => {
    stream.write(text)
    return String(((await once(stream, 'data')) as [Buffer])[0])
  }
}

function openDatagrams(t: TestContext, port: number): Flow {
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  return async (text) => {
    socket.send(text, port, '127.0.0.1')
    return String(((await once(socket, 'message')) as [Buffer])[0])
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

test(
  'a websocket, a call of gRPC and a flow of udp stay with their copies through a deploy; new ones meet the new',
  { timeout: 120_000 },
  async (t) => {
    const [httpsPort, udpPort] = [await freePort(), await freeUdpPort()]
    await using rack = await installRack([
      '--https-port',
      String(httpsPort),
      '--cpu',
      '1024',
      '--memory',
      '1024M',
    ])
    const ca = await rack.run('certs', 'ca')
    await using source = await makeSource({ 'docker-compose.yml': composeOf('one', udpPort) })
    const deploy = () => rack.run('deploy', '--app', 'flows', source.path)
    const openAll = async (): Promise<Record<string, Flow>> => ({
      websocket: await openWebSocket(t, httpsPort, ca),
      call: await openCall(t, httpsPort, ca),
      datagrams: openDatagrams(t, udpPort),
    })
    await deploy()
    const old = await openAll()
    for (const [what, say] of Object.entries(old)) assert.equal(await say('a'), 'one a', what)
    await source.write({ 'docker-compose.yml': composeOf('two', udpPort) })
    let isOver = false
    const deploying = deploy().finally(() => (isOver = true))
    const goOn = async () => {
      for (const [what, say] of Object.entries(old)) assert.equal(await say('b'), 'one b', what)
      return isOver
    }
    await until(goOn, { deadlineMs: 60_000, what: 'the deploy' })
    await deploying
    for (const [what, say] of Object.entries(await openAll())) assert.equal(await say('c'), 'two c', what)
    for (const [what, say] of Object.entries(old)) assert.equal(await say('d'), 'one d', `${what} drains`)
  },
)
