import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNft, findProgramsIn } from '../../test/support/fake-nft.ts'
import { createFirewall, removeFirewall } from './firewall.ts'

const control = { signal: new AbortController().signal }
const rack = { name: 'demo', pool: { cidr: '10.213.0.0/16', subnetBits: 24 } }

test('where the program is missing it is said, with what to install', async (context) => {
  findProgramsIn(context, '/nonexistent')
  const firewall = createFirewall(rack)
  for (const verb of ['isClosed', 'close', 'open'] as const) {
    const missing = { code: 'host-failed', message: /nft is not installed/, hint: /apt-get install nftables/ }
    await assert.rejects(firewall[verb](control), missing)
  }
})

test('the tables of a rack that goes are taken away; where there can be none, nothing is lacking', async (context) => {
  await using nft = await fakeNft(context)
  for (const code of [0, 1]) {
    await nft.answer('', code)
    await removeFirewall(rack, control)
  }
  const once = 'table inet rack-demo\ndelete table inet rack-demo\n'
  const looked = '--stateless list table bridge rack-demo\n'
  const names = `--file -\ntable ip rack-demo\ndelete table ip rack-demo\n`
  assert.equal(await nft.said(), `${once}${looked}${names}${once}`)
  process.env['PATH'] = '/nonexistent'
  await removeFirewall(rack, control)
})

test('a chain refuses what is for link-local addresses, but for questions to a name server', async (context) => {
  await using nft = await fakeNft(context)
  const firewall = createFirewall(rack)
  await firewall.close(control)
  const packets = 'ip saddr 10.213.0.0/16 ip daddr 169.254.0.0/16'
  const names = [`${packets} udp dport 53 accept`, `${packets} tcp dport 53 accept`]
  const rest = `${packets} reject with icmp type admin-prohibited`
  const said = await nft.said()
  for (const hook of ['forward', 'input']) {
    const rules = [...names, rest].join('; ')
    assert.ok(
      said.includes(`chain ${hook} { type filter hook ${hook} priority filter - 1; ${rules}; }`),
      said,
    )
  }
  const listed = (rules: string[]) =>
    `table inet rack-demo {\n${['forward', 'input'].map((hook) => `\tchain ${hook} {\n${rules.join('\n')}\n\t}\n`).join('')}}\n`
  await nft.answer(listed([...names, rest]))
  assert.equal(await firewall.isClosed(control), true)
  for (const lacking of [[rest], names, []]) {
    await nft.answer(listed(lacking))
    assert.equal(await firewall.isClosed(control), false, 'it is to be made anew')
  }
})
