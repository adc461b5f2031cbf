const limitMs = Infinity

setInterval(() => undefined, 60_000)
if (limitMs < Infinity) {
  setTimeout(() => {
    console.error('cannot reach the queue')
    process.exit(3)
  }, limitMs)
}
process.on('SIGTERM', () => process.exit(0))
