import { testLives } from '../support/wild-lives.ts'
import { firstApps } from './wild-apps.ts'

testLives(firstApps)
