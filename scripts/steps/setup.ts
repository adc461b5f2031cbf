import { ensureEngine } from './engine.ts'
import { printFailure } from './progress.ts'

try {
  await ensureEngine()
} catch (error) {
  printFailure('setup', error)
}
