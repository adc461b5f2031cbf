import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostedPlace } from '../service-type.ts'
import { hostedMysql } from './hosted-mysql.ts'
import { hostedPostgres } from './hosted-postgres.ts'
import { hostedRedis } from './hosted-redis.ts'

const place: HostedPlace = {
  host: 'a.example.com',
  port: 5432,
  authority: 'a.example.com:5432,b.example.com',
  username: 'app user',
  password: "it's #1",
  data: 'shop',
  query: '',
  isEncrypted: false,
}

/** What the program is given as its `$1`, `$2` …. */
const wordsOf = ({ command }: { command: readonly string[] }) => command.slice(4)

test('a postgres elsewhere keeps all of its hosts, and of what its URL asks for what concerns the connection', () => {
  const query = '?sslmode=verify-full&pool=5&password=other&options=endpoint%3Dabc#x'
  const { version, data } = hostedPostgres({ ...place, query })
  const url = 'postgresql://app%20user@a.example.com:5432,b.example.com/shop'
  assert.deepEqual(wordsOf(version), [`${url}?sslmode=verify-full&options=endpoint%3Dabc`])
  assert.equal(data, 'shop')
  assert.deepEqual([version.input, version.secrets], ["it's #1\n", ["it's #1"]])
  assert.equal(hostedPostgres({ ...place, data: '' }).data, 'app user')
})

test('a mysql elsewhere keeps its users to itself', () => {
  const client = hostedMysql({ ...place, port: 3306 })
  for (const part of ['accounts.users', 'rights.users']) assert.equal(client.dump(part), null)
  assert.deepEqual(wordsOf(client.dump('shop.sql')!), ['a.example.com', '3306', 'app user', 'shop'])
})

test('a redis elsewhere is asked as the user of its URL, encrypted where its scheme says so', () => {
  const open = hostedRedis('redis-cli', 'redis_version')
  assert.deepEqual(wordsOf(open(place).version), ['a.example.com', '5432', 'app user'])
  assert.deepEqual(wordsOf(open({ ...place, username: 'default' }).version), ['a.example.com', '5432', ''])
  const isTls = ({ isEncrypted }: Pick<HostedPlace, 'isEncrypted'>) =>
    open({ ...place, isEncrypted }).version.command[2]!.includes('--tls')
  assert.deepEqual([isTls({ isEncrypted: false }), isTls({ isEncrypted: true })], [false, true])
})
