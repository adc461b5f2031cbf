import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkAddress, linkUrl } from '../domain/link.ts'
import { ownLink } from './own-link.ts'

const cases: [string, Record<string, string>, string][] = [
  ['postgres:15', { POSTGRES_PASSWORD: 'p@ss' }, 'postgres://postgres:p%40ss@db:1/postgres'],
  [
    'docker.io/library/postgres:15-alpine@sha256:abc',
    { POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'p', POSTGRES_DB: 'shop' },
    'postgres://u:p@db:1/shop',
  ],
  ['postgres', { POSTGRES_USER: 'u', POSTGRES_HOST_AUTH_METHOD: 'trust' }, 'postgres://u@db:1/u'],
  ['mysql:8', { MYSQL_ROOT_PASSWORD: 'r', MYSQL_DATABASE: 'd' }, 'mysql://root:r@db:1/d'],
  ['mariadb:11', { MARIADB_ROOT_PASSWORD: 'r', MYSQL_USER: 'u', MYSQL_PASSWORD: 'p' }, 'mysql://u:p@db:1'],
  ['redis:7-alpine', {}, 'redis://db:1'],
  ['valkey/valkey:8', {}, 'redis://db:1'],
  ['memcached', {}, 'memcached://db:1'],
  ['rabbitmq:3', {}, 'amqp://guest:guest@db:1'],
  ['rabbitmq:3-management', { RABBITMQ_DEFAULT_VHOST: 'a b' }, 'amqp://guest:guest@db:1/a%20b'],
  ['mongo:7', { MONGO_INITDB_ROOT_USERNAME: 'u', MONGO_INITDB_ROOT_PASSWORD: 'p' }, 'mongodb://u:p@db:1'],
  ['bitnami/postgresql:15', { POSTGRES_PASSWORD: 'p' }, 'tcp://db:1'],
  ['registry.example.com/postgres:15', { POSTGRES_PASSWORD: 'p' }, 'tcp://db:1'],
]
for (const [image, variables, url] of cases) {
  test(`a process of ${image} with ${Object.keys(variables).join(', ') || 'no variables'} is linked by ${url}`, () => {
    assert.equal(linkUrl(linkAddress('db', {}, ownLink(image, variables), 1)), url)
  })
}
