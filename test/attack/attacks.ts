/** One way to do harm, and the tests that try it on real parts. */
export interface Attack {
  name: string
  /** Who does what to whom. */
  what: string
  /** Titles of tests by their file; each must have been run, and held. */
  tests: Record<string, string[]>
}

export const attacks: Attack[] = [
  {
    name: 'port-thief',
    what: "a user of the machine takes the API's port, or its socket, while the daemon is down, to be sent the operator's token",
    tests: {
      'test/e2e/local-users.test.ts': [
        'while the daemon is down, nobody who takes its port or its socket is sent the token',
        'a daemon does not open its socket where others could exchange it',
        'the socket is for its owner and the group; a member needs a token all the same',
      ],
      'src/client/check-socket.test.ts': [
        "another user's socket in our directory is sent nothing",
        "a socket in another user's directory is sent nothing",
        'what is no socket, or leads elsewhere, is refused',
      ],
    },
  },
  {
    name: 'hanging-app',
    what: 'thousands of requests to an app that never answers, to take the router from the others',
    tests: {
      'test/docker/router-shares.test.ts': [
        'an app that hangs fills its share and no more, and answers by itself',
        'however many apps hang, what is kept for the small ones is not theirs',
        'what makes progress lives: a slow upload, a long download, a long poll',
      ],
    },
  },
  {
    name: 'greedy-visitor',
    what: 'one address that opens all connections it can: silent ones, streams of HTTP/2, tcp ports, answers it never reads',
    tests: {
      'test/docker/router-shares.test.ts': [
        'one address has its share of an app, and others have theirs',
        'streams of one HTTP/2 connection count like connections',
        'connections that say nothing are closed beyond the share of their address',
        'connections of a tcp port have shares too',
        'a client that takes none of its answer is let go',
      ],
    },
  },
  {
    name: 'silent-tls',
    what: 'thousands of connections that never get through TLS, or say nothing behind it, to take the router from visitors',
    tests: {
      'test/docker/router-tls-strangers.test.ts': [
        'who never gets through TLS has the share of their address, and others are served',
        'however many addresses do so, what is kept for the small ones is not theirs',
        'a handshake that stands still ends, and so do headers that trickle',
        'so does one at a tls port, alone or shared, where who is through may be silent',
      ],
      'test/long/silent-connections.test.ts': [
        'ten thousand connections that never begin TLS keep no visitor away, and the doctor tells of them',
        'ten thousand that say nothing once TLS is through are let go, and keep no visitor away',
      ],
    },
  },
  {
    name: 'half-websockets',
    what: 'WebSockets that are half closed, to be there for an hour and to hold deploys back',
    tests: { 'test/docker/router-shares.test.ts': ['a silent websocket lives on, and half of one does not'] },
  },
  {
    name: 'host-lists',
    what: 'a request that names two hosts, none or a wrong one, with headers that look like those of the router',
    tests: {
      'test/docker/router-requests.test.ts': [
        'it names one host, in one way, or is refused',
        'no spelling of a header passes for the word of the router',
        'a connection is upgraded to a websocket, and to nothing else',
        'a trusted proxy is believed and extended; nobody else is',
      ],
    },
  },
  {
    name: 'smuggling',
    what: 'a request in the body of another, by lengths and chunks that two readers take for different ones',
    tests: { 'test/docker/router-requests.test.ts': ['no request hides in the body of another'] },
  },
  {
    name: 'smuggled-keys',
    what: 'a compose file that gives a process the machine by extends, include, anchors, merges or variables',
    tests: {
      'src/manifest/smuggled-keys.test.ts': [
        'no process gets the machine by extends',
        'no process gets the machine by extends of another file',
        'no process gets the machine by include',
        'no process gets the machine by an anchor',
        'no process gets the machine by a merge of merges',
        'no process gets the machine by a variable',
      ],
    },
  },
  {
    name: 'log-filler',
    what: 'a user of the machine without a token floods the API, to fill the disk with its log',
    tests: {
      'test/e2e/local-users.test.ts': [
        'strangers without a token cannot fill the log',
        "the daemon's log moves away when it is long, and one more is kept",
      ],
    },
  },
  {
    name: 'half-open-api',
    what: "connections to the API that say nothing, to take the daemon's files and with them the watch over the router",
    tests: {
      'test/e2e/local-users.test.ts': [
        'half-open connections take neither the API from its owner nor the router from the rack',
      ],
      'src/edge/edge.test.ts': ['who does not say what they want is let go'],
    },
  },
  {
    name: 'links-out',
    what: "a source directory whose files are links to the operator's, or pipes that never end",
    tests: {
      'src/cli/source/hostile-tree.test.ts': [
        'a link that leads out of the tree is refused wherever a file is named',
        'a pipe is refused wherever a file is named, and not waited for',
        'a folder that becomes a link while it is sent gives nothing of what lies there',
        'a socket as a file of variables is refused',
      ],
    },
  },
  {
    name: 'image-names',
    what: 'a compose file that gives what it builds the name of an image of others',
    tests: {
      'test/docker/build.test.ts': [
        "a name beside a build is the app's own: images that others have by it stay what they are",
        'what another app has built is no image to run, neither by its name nor by its id',
      ],
    },
  },
  {
    name: 'forged-labels',
    what: "an image that says by its labels that it is another rack's, app's or kind of process",
    tests: {
      'test/docker/container-options.test.ts': [
        'labels of the file are on the container, beside those of the rack',
        'an image that says what only a rack may say is not believed',
      ],
    },
  },
  {
    name: 'neighbour-names',
    what: 'a rack whose name begins like that of another, to be given or to remove what is the other’s',
    tests: {
      'test/docker/names.test.ts': [
        'a rack touches nothing of another one, where both would have one name for it',
        'an empty network of a person that has the name is left alone',
      ],
    },
  },
  {
    name: 'endless-builds',
    what: 'builds that never end, to keep all other apps from theirs',
    tests: {
      'test/e2e/greedy-builds.test.ts': [
        'endless builds of one app take neither the turns nor the room of another',
      ],
      'test/docker/build.test.ts': ['a build whose time is up is ended in the engine too'],
    },
  },
  {
    name: 'huge-uploads',
    what: 'an upload of files that are small each and large together, an index that is none, too many bytes',
    tests: {
      'src/operations/source-upload.test.ts': [
        'the files of a manifest are bounded together, each entry counted although it is empty',
        'an index of other types is told, never stumbled over',
        'a path that the index names again and again is one text',
        'a source has files, folders and links; devices and pipes are refused by name',
      ],
      'test/e2e/uploads.test.ts': [
        'an upload that is too large is refused in the middle with the reason and the limit',
      ],
    },
  },
  {
    name: 'escape-sequences',
    what: "words of a process, a build or the engine that would steer the operator's terminal",
    tests: {
      'test/e2e/hostile-words.test.ts': [
        'a deploy that fails says what its process printed, without what would steer a terminal',
        'a build that fails, and its log, say nothing that steers either',
      ],
      'src/cli/output/door.test.ts': [
        'no word of a rack steers the terminal of its reader, whatever the command',
        'nothing of the command line writes to a terminal past the door',
      ],
    },
  },
  {
    name: 'nul-bytes',
    what: 'a NUL byte in a variable, a label, a command, a request',
    tests: {
      'src/manifest/keys/bad-input.test.ts': [
        'a NUL byte is refused where it is written, and in a file of variables',
      ],
      'src/api/server.test.ts': [
        'an argument with a NUL byte is refused at its place, before anything is asked of an engine',
      ],
    },
  },
  {
    name: 'metadata',
    what: "a process that asks 169.254.169.254 for the machine's own credentials",
    tests: {
      'test/docker/firewall.test.ts': [
        'an app is kept from the metadata service of the machine, until the policy lets it',
        'a table that somebody deletes, or takes a rule from, is made anew',
        'it outlives the daemon, and the doctor tells when it is gone',
      ],
    },
  },
  {
    name: 'engine-restart',
    what: 'a restart of Docker that takes all apps down',
    tests: {
      'test/docker/live-restore.test.ts': [
        'an engine without it is told of',
        'with live-restore an app serves while Docker is restarted, and changes after it',
      ],
    },
  },
  {
    name: 'container-out',
    what: "a container that wants the engine's socket, the rack's directory, another app, or the API",
    tests: {
      'test/e2e/volumes-and-policy.test.ts': [
        'the policy survives the death of the daemon, and lets nobody reach the engine or the rack',
      ],
      'test/e2e/proxy.test.ts': ['nothing but the processes of the app can be reached'],
      'test/docker/deploy.test.ts': ['apps cannot reach each other'],
    },
  },
  {
    name: 'hostile-archives',
    what: 'an archive that writes outside of its place',
    tests: { 'test/e2e/copy.test.ts': ['an archive made to harm writes nothing outside'] },
  },
  {
    name: 'foreign-pages',
    what: 'a web page, a name that leads to this machine, or nobody in particular that calls the API',
    tests: {
      'src/api/server.test.ts': [
        'every other route wants a token that the rack knows',
        'a token that may only read changes nothing',
        'names that a foreign page could point at the rack are refused',
      ],
      'src/edge/edge.test.ts': [
        'the rule of hosts and origins holds for every face, and unknown paths are problems',
      ],
    },
  },
]
