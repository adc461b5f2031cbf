import { commandLineContract } from '../contract/command-line.ts'
import { installRack } from '../support/installed-rack.ts'

commandLineContract('one machine', () => installRack())
