import { after, before, test } from 'node:test'
import { installRack, type InstalledRack } from './installed-rack.ts'
import { makeStandIns } from './stand-ins.ts'
import { liveThrough, type WildApp } from './wild.ts'

/** Has each of them live through its life, on a rack of its own, whose tests may have more to do on it. */
export function testLives(apps: WildApp[]): () => InstalledRack {
  let rack: InstalledRack
  before(async () => {
    await makeStandIns()
    // A proxy on this machine is believed.
    rack = await installRack(['--trusted-proxies', '127.0.0.1/32'])
  })
  after(async () => await rack[Symbol.asyncDispose]())
  for (const app of apps) {
    test(`${app.name} lives through its life`, { timeout: 180_000 }, async () => await liveThrough(rack, app))
  }
  return () => rack
}
