import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkAddress, linkVariables } from './link.ts'

test('a link is seven variables, percent-encoded in the URL only', () => {
  const address = {
    scheme: 'amqp',
    host: 'odd',
    port: 5672,
    path: 'vhost',
    username: 'a b',
    password: 'p@ss/w?rd',
  }
  assert.deepEqual(linkVariables('my-odd', address), {
    MY_ODD_URL: 'amqp://a%20b:p%40ss%2Fw%3Frd@odd:5672/vhost',
    MY_ODD_SCHEME: 'amqp',
    MY_ODD_HOST: 'odd',
    MY_ODD_PORT: '5672',
    MY_ODD_PATH: '/vhost',
    MY_ODD_USERNAME: 'a b',
    MY_ODD_PASSWORD: 'p@ss/w?rd',
  })
})

const cases: [string, Record<string, string>, Record<string, string>, string][] = [
  ['nothing said', {}, {}, 'tcp://db:5432'],
  ['the image says', {}, { LINK_SCHEME: 'postgres', LINK_PATH: '/app' }, 'postgres://db:5432/app'],
  ['compose wins over the image', { LINK_SCHEME: 'pg' }, { LINK_SCHEME: 'postgres' }, 'pg://db:5432'],
  ['a password alone', { LINK_PASSWORD: 'x' }, {}, 'tcp://:x@db:5432'],
  ['a user alone', { LINK_USERNAME: 'u' }, {}, 'tcp://u@db:5432'],
  ['a port of its own', { LINK_PORT: '9999' }, {}, 'tcp://db:9999'],
  ['a port that is none', { LINK_PORT: 'soon' }, {}, 'tcp://db:5432'],
]
for (const [name, compose, image, url] of cases) {
  test(`link URL: ${name}`, () => {
    assert.equal(linkVariables('db', linkAddress('db', compose, image, 5432)).DB_URL, url)
  })
}
