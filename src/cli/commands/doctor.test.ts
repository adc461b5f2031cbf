import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharesOf } from '../../router/shares.ts'
import { loadFindings } from './doctor.ts'

test('a router that is nearly full is told of, with where to look', () => {
  const shares = sharesOf(8000)
  const of = (connections: number) =>
    loadFindings({ connections, shares, apps: {} }, { http: { bind: '::', port: 80 }, https: { port: 443 } })
  assert.deepEqual(of(5000), [])
  const [found] = of(7000)
  assert.equal(found?.status, 'warning')
  assert.match(
    found.detail,
    /^7000 of 8000 connections are open: from 6000 on an address gets no more than 125/,
  )
  assert.match(found.fix ?? '', /^See whose they are: ss -Htn '\( sport = :80 or sport = :443 \)'/)
})
