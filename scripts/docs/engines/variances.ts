import { contractFile as contract, type Shown } from './shown-by.ts'

/** What both engines do, each in a way or a time of its own. */
export interface Variance {
  /** What the page calls the row; no feature has it. */
  name: string
  about: string
  machine: string
  account: string
  why: string
  shown: Shown[]
  /** What of it no test can show without an account, where there is such a thing. */
  unproved?: string
}

const deploys = 'test/aws/deploy.test.ts'
const services = 'test/fake-aws/ecs/services.test.ts'
const balancer = 'test/fake-aws/elb/traffic.test.ts'
const daemon = 'test/aws/daemon.test.ts'
const healing = 'test/e2e/healing.test.ts'
const held = 'test/docker/router-hold.test.ts'
const stable = 'test/docker/stable-names.test.ts'

export const variances: Variance[] = [
  {
    name: 'move',
    about: 'All types of a release take over together',
    machine: 'one change of the router, and the names inside with it',
    account:
      'one call for all http ports, then tcp ports one by one, then all names in one batch: about a second in all, in which both releases serve',
    why: 'rules, listeners and names are three services of the account, and each node of a balancer hears by itself',
    shown: [
      {
        file: deploys,
        title: 'parts come first and the service last; one call moves all rules; nothing goes before that',
      },
      { file: deploys, title: 'no request is lost while releases replace each other' },
    ],
    unproved: 'how far apart the nodes of a balancer follow',
  },
  {
    name: 'allow',
    about: 'Who comes in at a tcp, tls or udp port of which a release changes `rack.allow`',
    machine: 'whom the release that serves names',
    account:
      'until the new release serves, who is named by both; then whom it names, which is a change of the account’s of some ten seconds. Connections that are there are not ended by it',
    why: 'ranges are rules of a security group, which is one for both releases and looks at new connections alone',
    shown: [
      {
        file: 'src/engines/aws/routes/open-ports.test.ts',
        title: 'while a release takes over, a port of both lets in nobody whom one of them does not',
      },
    ],
    unproved: 'how soon each node of a balancer follows its security group',
  },
  {
    name: 'names',
    about: 'Names inside an app',
    machine: 'one address for the life of the app: who looked it up once meets the new copies too',
    account:
      'follow by DNS, within 60 s and the 5 s that an answer may be kept. What looks up once (nginx with a static upstream) keeps calling copies that leave: write `depends_on` with `restart: true`',
    why: 'addresses of the account are those of its tasks, and names lead to them',
    shown: [
      { file: stable, title: 'the address of a name leads to the live release, through a deploy and back' },
      {
        file: 'test/fake-aws/names/names.test.ts',
        title: 'names of a batch flip together, and one change never overtakes another',
      },
      { file: contract, title: 'the replacement of a dependency replaces those that restart with it, once' },
    ],
    unproved: 'how long a change of names takes until the resolver of the network knows it',
  },
  {
    name: 'sick',
    about: 'Names and a copy that is not well',
    machine: 'a copy that dies or fails its check is met no more',
    account: 'its address may be given for some 30 s more, at most eight addresses an answer',
    why: 'the account takes its address out of the names, and others keep what they were told',
    shown: [
      { file: stable, title: 'a copy that dies leaves the name at once, and is met again when it answers' },
      {
        file: 'test/fake-aws/names/names.test.ts',
        title: 'an answer holds eight addresses of many, and others the next time',
      },
    ],
    unproved: 'when the account takes it out',
  },
  {
    name: 'gap',
    about: 'A type that writes a volume makes place for its successor',
    machine: 'requests and connections wait in the router until the new copy serves',
    account: 'they are answered 503, or refused, for the 20 to 60 s that a new copy takes',
    why: 'a balancer of the account holds no request',
    shown: [
      {
        file: contract,
        title: 'a type with a volume is stopped first, and started again when its successor fails',
      },
      { file: held, title: 'while a copy makes place for another, requests wait, and none fails' },
      { file: services, title: 'with 0 and 100 percent the old task is gone before its successor is there' },
      {
        file: balancer,
        title: 'without a target it is 503, from a target that is gone 502, and one that is late 504',
      },
    ],
    unproved: 'how long the gap is',
  },
  {
    name: 'crash',
    about: 'A process that crashes',
    machine: 'is started again in its place, within a second at first',
    account: 'is replaced by another copy, in 20 to 60 s',
    why: 'a task of ECS ends with its process, and Fargate finds a machine for the next one',
    shown: [
      { file: contract, title: 'a process that crashes is started again, and it shows' },
      {
        file: services,
        title: 'a service of two copies comes, replaces what crashes, spares what is protected, and goes',
      },
    ],
    unproved: 'how long Fargate takes',
  },
  {
    name: 'unhealthy',
    about: 'A copy whose check fails while it runs',
    machine: 'gets no request while another is there, and is replaced by the daemon',
    account: 'is replaced by ECS, with or without the daemon',
    why: 'ECS asks the check itself, and hears of the balancer',
    shown: [
      {
        file: healing,
        title: 'a copy whose check fails gets no request while another is there, says so, and is replaced',
      },
      { file: services, title: 'a container that stays unhealthy, and a target that does, are replaced' },
    ],
  },
  {
    name: 'start',
    about: 'How long a deploy takes',
    machine: 'as long as the processes take to be healthy',
    account: 'the same, 20 to 60 s for a new copy, and up to 65 s for names; a new tcp port 1 to 3 min',
    why: 'Fargate looks for a machine and fetches the image for each copy',
    shown: [
      { file: contract, title: 'a copy that needs a while to listen is waited for' },
      {
        file: balancer,
        title: 'a tcp listener leads to a target that was slow to become healthy, and follows its listener',
      },
    ],
    unproved: 'all of these times',
  },
  {
    name: 'receipt',
    about: 'Numbers of a receipt',
    machine: 'every request is counted, with the longest stall',
    account:
      'known 1 to 4 min later, by whole minutes; no longest stall; what the balancer answered by itself is not counted',
    why: 'the balancers count for CloudWatch, and tell of their own answers for all apps together',
    shown: [
      {
        file: 'test/fake-aws/elb/clients.test.ts',
        title: 'a minute is told one to three minutes after its end',
      },
      { file: contract, title: 'a deploy starts as many copies as the plan says, and they run' },
    ],
    unproved: 'how late they are',
  },
  {
    name: 'size',
    about: 'What a copy takes',
    machine: 'CPU is shared, memory is a limit, both as written',
    account: 'a machine of the next larger size of Fargate, which is what is paid; the limits are as written',
    why: 'Fargate has a table of sizes, and the rack needs 64 MiB beside the process',
    shown: [
      {
        file: 'src/engines/aws/definition/fargate-size.test.ts',
        title: 'a copy gets the smallest size that holds it and what runs beside it',
      },
      { file: 'src/engines/aws/definition/fargate-size.test.ts', title: 'what no size holds is refused' },
    ],
  },
  {
    name: 'probing',
    about: 'Health checks of an http port once it serves',
    machine: 'ask for the path by its name, and take what they take during a deploy',
    account:
      'ask by an address, and take any answer below 500; the gate of a deploy asks by name all the same',
    why: 'a balancer of the account asks without the host name, which some processes refuse',
    shown: [
      {
        file: 'src/engines/aws/routes/target-groups.test.ts',
        title: 'a web port is checked by its path: any answer that is no failure of the server will do',
      },
      { file: contract, title: 'a copy that answers 404 to its health path fails the deploy' },
    ],
  },
  {
    name: 'logs',
    about: 'Lines of a log',
    machine: 'can be read at once',
    account: 'can be read some seconds after they were printed',
    why: 'they are handed to CloudWatch in bundles, so that no process waits for it',
    shown: [
      { file: 'src/engines/aws/logs/read-logs.test.ts', title: 'who follows gets what comes late, once' },
      { file: contract, title: 'following logs gives what comes later, and ends with the signal' },
    ],
    unproved: 'how late they come',
  },
  {
    name: 'leftovers',
    about: 'Objects of a type with a deploy',
    machine: 'containers come and go',
    account:
      'services, target groups and rules come and go: alarms and scaling of your own must find them by the tags `rack:app` and `rack:type`',
    why: 'a service of ECS is one generation of copies, new beside old',
    shown: [
      {
        file: 'src/engines/aws/names.test.ts',
        title: 'tags are read as they were written; strangers are passed over',
      },
      { file: contract, title: 'a changed type is replaced, an unchanged one keeps its copies' },
    ],
  },
  {
    name: 'most',
    about: 'How many http types a rack serves',
    machine: 'as many as it has room for',
    account:
      'a hundred target groups behind each balancer, old ones that drain among them: a further balancer is made where the account has the domain of the rack as a public zone. An app is behind one, with 50 types at most; four rules a type',
    why: 'a balancer of the account leads to no more, which nobody can raise',
    shown: [
      {
        file: 'test/fake-aws/elb/actions.test.ts',
        title: 'a balancer leads to a hundred target groups, and an action to five',
      },
      {
        file: 'src/engines/aws/routes/rules.test.ts',
        title: 'host names and ranges share the five values of a rule',
      },
      {
        file: 'test/aws/names.test.ts',
        title:
          'past the hundredth target group an app is behind a further balancer, led there by records of its own',
      },
    ],
  },
  {
    name: 'certificates',
    about: 'Certificates that visitors are shown',
    machine: 'of an authority by ACME, of your own, or of the rack’s: `rack certs`',
    account:
      'of ACM alone: the one that the rack was installed with (`--certificate`), and one for each domain of an app; a tls port shows that of the rack and those of the domains that lead to it, which it gets within a minute after it was opened. `rack certs add` and `rack certs acme` are refused',
    why: 'balancers of the account show what ACM has',
    shown: [
      { file: daemon, title: 'what a rack in an account has not is refused with its reason' },
      {
        file: 'test/aws/names.test.ts',
        title: 'where the rack has a domain its apps are served by TLS, and by http to those that keep it',
      },
    ],
    unproved: 'how long ACM takes to issue one',
  },
  {
    name: 'whole',
    about: '`rack backup`: all of a rack in one file',
    machine: 'apps, releases, environments, data and settings of the rack, sealed',
    account: 'refused; its parts go: `rack volumes backup`, `rack services backup`, `rack apps export`',
    why: 'half of it is the account’s: stacks, keys, certificates',
    shown: [{ file: daemon, title: 'what a rack in an account has not is refused with its reason' }],
  },
  {
    name: 'counts',
    about: '`rack top` and `/metrics`',
    machine: 'requests, errors and answer times of each app, beside cpu and memory of each copy',
    account: 'cpu and memory; requests are counted by CloudWatch, under the name of the balancer',
    why: 'requests pass the balancer, and no router of the rack',
    shown: [{ file: contract, title: 'what running processes take is read, of one owner or of all' }],
  },
  {
    name: 'daemon',
    about: 'Where the rack’s own program runs',
    machine: 'beside the processes; apps run on without it',
    account:
      'on a machine of yours that reaches the network of the account (`--daemon here`); apps run on without it',
    why: 'it tries the processes itself before a release serves, by their addresses inside',
    shown: [
      {
        file: daemon,
        title:
          'a change whose daemon is killed is brought about by the next one, and apps are reached meanwhile',
      },
    ],
  },
]
