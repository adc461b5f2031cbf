import { randomUUID } from 'node:crypto'

const inbox = 'guestbook:inbox' // written, not yet taken
const desk = 'guestbook:desk' // taken by a worker, not yet published
const book = 'guestbook:book' // published, newest first
const tally = 'guestbook:tally'
const pageLength = 50

// One step for Redis: a worker that dies, or an entry that arrives twice, never shows twice or gets lost.
const publishScript = `
  if redis.call('SET', KEYS[1], '1', 'NX', 'EX', 86400) then
    redis.call('LPUSH', KEYS[2], ARGV[2])
    redis.call('LTRIM', KEYS[2], 0, 999)
    redis.call('HINCRBY', KEYS[3], 'entries', 1)
    redis.call('HINCRBY', KEYS[3], 'words', ARGV[3])
  end
  return redis.call('LREM', KEYS[4], 0, ARGV[1])`

/** Leaves an entry for the worker. */
export async function writeEntry(redis, { name, message }) {
  const entry = { id: randomUUID(), name, message, at: new Date().toISOString() }
  await redis.send('LPUSH', inbox, JSON.stringify(entry))
}

/** Reads what a visitor sees: entries waiting, entries published, and the worker's count of them. */
export async function readBook(redis) {
  const [arriving, taken, published, counts] = await Promise.all([
    redis.send('LRANGE', inbox, 0, pageLength - 1),
    redis.send('LRANGE', desk, 0, pageLength - 1),
    redis.send('LRANGE', book, 0, pageLength - 1),
    redis.send('HMGET', tally, 'entries', 'words'),
  ])
  return {
    waiting: [...arriving, ...taken].map((text) => JSON.parse(text)),
    published: published.map((text) => JSON.parse(text)),
    entries: Number(counts[0]),
    words: Number(counts[1]),
  }
}

/** Takes the oldest entry from the inbox, waiting up to a second for one; null when none came. */
export function takeEntry(redis) {
  return redis.send('BLMOVE', inbox, desk, 'RIGHT', 'LEFT', 1)
}

/** Puts back what a worker that died had taken. */
export async function returnTaken(redis) {
  while (await redis.send('LMOVE', desk, inbox, 'RIGHT', 'RIGHT'));
}

/** Publishes a taken entry in the form that readers see. */
export async function publishEntry(redis, taken, entry) {
  const words = entry.message.split(/\s+/).filter(Boolean).length
  const once = `guestbook:published:${entry.id}`
  const keys = [once, book, tally, desk]
  await redis.send('EVAL', publishScript, keys.length, ...keys, taken, JSON.stringify(entry), words)
}
