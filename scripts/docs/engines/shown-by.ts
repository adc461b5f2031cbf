import type { FeatureName } from '../../../test/support/needed-features.ts'
import { featureWishes } from '../../../test/support/feature-wishes.ts'
import { appScenarios, leftoverScenarios, type Scenario } from '../../../test/contract/engine.ts'
import type { Feature } from '../manifest/differences.ts'

/** A test that shows something: its file in the clone, and its title. */
export interface Shown {
  file: string
  title: string
}

/** A scenario of the engines' contract. */
export interface ContractScenario {
  title: string
  /** Without which of them it is skipped. */
  needs: FeatureName[]
}

/** Stands for all files of the contract. */
export const contractFile = 'test/contract/engine.ts'

export const featureTests = 'src/manifest/features.test.ts'

/** Tests of what is neither a scenario that an engine skips nor a wish of a file that it has a word for. */
const further: Partial<Record<Feature, Shown[]>> = {
  pidsLimit: [{ file: featureTests, title: 'what asks for nothing is harmless on every engine' }],
  oomScore: [{ file: featureTests, title: 'what asks for nothing is harmless on every engine' }],
  diskVolumes: [
    {
      file: contractFile,
      title: 'a deploy makes the volumes of its plan, and they say who has them',
    },
  ],
  separateNetworks: [{ file: featureTests, title: 'without separateNetworks, and without internalNetworks' }],
  internalNetworks: [{ file: featureTests, title: 'without separateNetworks, and without internalNetworks' }],
  sharesServices: [
    { file: 'test/contract/shares.test.ts', title: 'an engine that cannot share says why, both ways' },
  ],
  tlsPorts: [
    {
      file: featureTests,
      title: 'a rack of an account without a certificate ends TLS at no port, and says so at its line',
    },
    {
      file: 'test/aws/names.test.ts',
      title:
        'a port of tls shows the certificate of the rack and those of its domains, and speaks tcp to the process',
    },
  ],
  methodsKept: [
    {
      file: 'test/aws/names.test.ts',
      title: 'where the rack has a domain its apps are served by TLS, and by http to those that keep it',
    },
  ],
  changesPortsInPlace: [
    {
      file: 'src/domain/copy-identity.test.ts',
      title: 'an external port replaces copies where the engine changes none in place',
    },
  ],
  buildsTakeCapacity: [
    {
      file: 'src/engines/aws/capacity.test.ts',
      title:
        'services reserve what they are asked for, those that leave what still runs, those taken away nothing',
    },
  ],
  receiptCounts: [
    {
      file: 'test/fake-aws/elb/count-requests.test.ts',
      title: 'the requests of a release are counted, over several pages of groups',
    },
    {
      file: contractFile,
      title: 'a receipt names the old copies that still drain, and its counts are measured at their end',
    },
  ],
  mostExecs: [
    {
      file: 'test/fake-aws/ssm/exec.test.ts',
      title:
        'is refused where the container has two; where one of them ends it has the place, with all that goes in',
    },
  ],
  managedServices: [
    {
      file: 'test/aws/managed-services.test.ts',
      title: 'a database of RDS: linked by logins of its own, backed up, and gone but for its last snapshot',
    },
    {
      file: 'test/aws/managed-services.test.ts',
      title:
        'a mysql of RDS: encrypted for the rack, its sessions ended by RDS, its views and triggers put back',
    },
    {
      file: 'test/aws/managed-services.test.ts',
      title:
        'a redis, a valkey and a memcached of ElastiCache: let in and kept out by the account, encrypted where users are',
    },
    {
      file: 'test/contract/managed-services.test.ts',
      title: 'one that nobody runs for the rack is refused before anything is touched, and says what is run',
    },
    {
      file: contractFile,
      title: 'a kind of service that nobody runs for the engine is refused',
    },
  ],
}

/** Every scenario of the contract, in its order. */
export function listScenarios(): ContractScenario[] {
  const found: ContractScenario[] = []
  const note: Scenario = (title, _run, needs = []) => found.push({ title, needs })
  appScenarios(note)
  leftoverScenarios(note)
  return found
}

/** Whether a file asks for it in a test that has its name: `without NAME`. */
export function isWished(feature: Feature): boolean {
  return featureWishes[feature] !== undefined
}

/** What else shows what becomes of a feature where an engine lacks it. */
export function testsOf(feature: Feature): Shown[] {
  const skipped = listScenarios().filter(({ needs }) => (needs as Feature[]).includes(feature))
  return [...(further[feature] ?? []), ...skipped.map(({ title }) => ({ file: contractFile, title }))]
}
