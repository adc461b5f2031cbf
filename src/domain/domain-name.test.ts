import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDomain } from './domain-name.ts'

test('a domain is one name, however it is written', () => {
  const names: [string, string][] = [
    ['shop.example.com', 'shop.example.com'],
    [' Shop.EXAMPLE.com. ', 'shop.example.com'],
    ['*.Example.com.', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.BÜCHER.example', '*.xn--bcher-kva.example'],
    ['_dmarc.example.com', '_dmarc.example.com'],
  ]
  for (const [text, name] of names) assert.equal(readDomain(text), name)
})

test('what is no domain is refused', () => {
  const others = [
    '',
    'localhost',
    'https://a.example.com',
    'a.example.com:80',
    'a.example.com/x',
    '127.0.0.1',
    '::1',
  ]
  const more = [
    '*',
    '*.com',
    'a.*.example.com',
    '**.example.com',
    'a..example.com',
    '-a.example.com',
    'a b.example.com',
    'a\nb.example.com',
    `${'a'.repeat(64)}.example.com`,
    `${'a.'.repeat(126)}com`,
  ]
  for (const text of [...others, ...more]) assert.throws(() => readDomain(text), { code: 'invalid' }, text)
})
