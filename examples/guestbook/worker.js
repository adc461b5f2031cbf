import { publishEntry, returnTaken, takeEntry } from './entries.js'
import { Redis } from './redis.js'

const emoji = { ':)': '🙂', ':D': '😄', ';)': '😉', ':(': '🙁', '<3': '❤️', ':tada:': '🎉', ':wave:': '👋' }

const redis = new Redis(process.env.REDIS_URL ?? 'redis://redis:6379')
const stopping = new AbortController()
process.once('SIGTERM', stop).once('SIGINT', stop)

console.log(`worker of release ${process.env.RELEASE ?? 'dev'} is waiting for entries`)
while (!stopping.signal.aborted) {
  try {
    await returnTaken(redis)
    await publishUntilStopped()
  } catch (error) {
    console.error(`will try again: ${error.message}`)
  }
}
redis.close()

async function publishUntilStopped() {
  while (!stopping.signal.aborted) {
    const taken = await takeEntry(redis)
    if (!taken) continue
    const entry = edit(JSON.parse(taken))
    await publishEntry(redis, taken, entry)
    console.log(`published ${entry.id} by ${entry.name}`)
  }
}

/** An editor's light hand: smileys become emoji, shouting becomes speech. */
function edit(entry) {
  const isShouting = entry.message.length > 10 && entry.message === entry.message.toUpperCase()
  const message = isShouting ? entry.message[0] + entry.message.slice(1).toLowerCase() : entry.message
  const words = message.split(/(\s+)/).map((word) => emoji[word] ?? word)
  return { ...entry, message: words.join('') }
}

/** Finishes the entry at hand, unless Redis is away: then it stays on the desk, and the next worker takes it. */
function stop() {
  stopping.abort()
  setTimeout(() => redis.close(), 5_000).unref()
}
