import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  parseHeld,
  parseInfo,
  parseMap,
  parseOpenCounts,
  parseServers,
  parseSessions,
  parseStatistics,
  parseWorkers,
} from './runtime-api.ts'

test('workers: the serving one, and those that a reload replaced', () => {
  const text = [
    '#<PID>          <type>          <reloads>       <uptime>        <version>      ',
    '14887           master          2 [failed: 1]   0d00h00m06s     2.6.12-1+deb12u4',
    '# workers',
    '14901           worker          0               0d00h00m05s     2.6.12-1+deb12u4',
    '# old workers',
    '14895           worker          1               0d00h00m06s     2.6.12-1+deb12u4',
    '14889           worker          2               0d00h00m09s     2.6.12-1+deb12u4',
    '# programs',
    '',
  ].join('\n')
  assert.deepEqual(parseWorkers(text), {
    master: 14887,
    current: 14901,
    leaving: [14895, 14889],
    failedReloads: 1,
  })
})

test('the worker of before serves on after a reload that failed', () => {
  const text =
    '#<PID> <type>\n10 master 0 0d00h00m06s 3.0.2\n# workers\n# old workers\n11 worker 1 0d00h00m06s 3.0.2\n'
  assert.deepEqual(parseWorkers(text), { master: 10, current: 11, leaving: [], failedReloads: 0 })
})

test('servers: the columns are found by their names', () => {
  const text = [
    '1',
    '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_time_since_last_change srv_port',
    '4 shop.http.3000.web 1 P1.R1 127.0.0.1 0 0 1 624 18090',
    '4 shop.http.3000.web 2 P2.R2 127.0.0.1 2 8 0 1 18091',
    '4 shop.http.3000.web 3 P3.R2 127.0.0.1 2 1 1 1 18092',
    '',
  ].join('\n')
  const [first, ...others] = parseServers(text)
  assert.deepEqual(first, {
    backend: 'shop.http.3000.web',
    name: 'P1.R1',
    address: '127.0.0.1',
    port: 18090,
    isUp: false,
    admin: 'ready',
    weight: 1,
    secondsSinceChange: 624,
  })
  assert.deepEqual(
    others.map(({ admin, isUp }) => [admin, isUp]),
    [
      ['drain', true],
      ['maint', true],
    ],
  )
})

test('statistics: requests of HTTP, connections of TCP', () => {
  const text = [
    '# pxname,svname,qcur,scur,stot,econ,eresp,hrsp_5xx,req_tot,srv_abrt,qtime_max,ctime_max,rtime_max,rtime,mode,',
    'shop.http.3000.web,P1.R1,1,2,9,0,1,3,12,4,5,6,7,2,http,',
    'queue.tcp.5432.db,BACKEND,0,0,9,1,0,,,,,,,,tcp,',
    '',
  ].join('\n')
  const [web, queue] = parseStatistics(text)
  assert.deepEqual(web, {
    backend: 'shop.http.3000.web',
    server: 'P1.R1',
    mode: 'http',
    requests: 12,
    serverErrors: 3,
    connectErrors: 0,
    responseErrors: 1,
    serverAborts: 4,
    busy: 3,
    refused: 0,
    longestMs: 18,
    answerMs: 2,
  })
  assert.equal(queue?.server, null)
  assert.equal(queue?.requests, 9)
})

test('sessions and fields', () => {
  const text = [
    '0x556fe4866a30: proto=tcpv4 src=127.0.0.1:33546 fe=http be=shop.http.3000.web srv=P1.R1 ts=00 epoch=0 age=8s',
    '0x7f7380039d70: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s',
  ].join('\n')
  const session = { id: '0x556fe4866a30', server: 'shop.http.3000.web/P1.R1' }
  assert.deepEqual(parseSessions(text), [session])
  assert.equal(parseInfo('Pid: 8793\ndescription: a: b\n').get('description'), 'a: b')
})

test('tables: what is open, by its key', () => {
  const text = `# table: rack-apps, type: string, size:10240, used:2
0x7f2a9c0371c0: key=shop use=2 exp=0 shard=0 conn_cur=2
0x7f2a9c037260: key=blog use=0 exp=41562 shard=0 conn_cur=0
`
  assert.deepEqual(
    [...parseOpenCounts(text)],
    [
      ['shop', 2],
      ['blog', 0],
    ],
  )
})

test('what has waited, and the entries of a map', () => {
  const held = parseHeld('shop.http.3000.web 12 3400\nblog.tcp.25.mail 1 20\n\n')
  assert.deepEqual(
    [...held],
    [
      ['shop.http.3000.web', { count: 12, longestMs: 3400 }],
      ['blog.tcp.25.mail', { count: 1, longestMs: 20 }],
    ],
  )
  assert.equal(parseHeld("Unknown command: 'show held', but maybe one of the following ones\n").size, 0)
  const map = parseMap('0x55ea13a9d670 shop.http.3000.web change\n0x55ea13a9e220 blog.tcp.25.mail restart\n')
  assert.deepEqual(
    [...map],
    [
      ['shop.http.3000.web', 'change'],
      ['blog.tcp.25.mail', 'restart'],
    ],
  )
})
