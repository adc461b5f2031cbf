// The tool that a rack on ECS has in each task: it prepares what ECS cannot (files of the network, secret files), and is
// what a rack starts inside a task. It is never process 1 of a copy. aws.md 1.2 says why; `tool-orders.ts` of the engine
// has the shapes of what it is ordered.
package main

import (
	"fmt"
	"os"
)

var verbs = map[string]func(arguments []string) (int, error){
	"exec":    runExec,
	"hold":    runHold,
	"init":    runInit,
	"join":    runJoin,
	"erase":   runErase,
	"fill":    runFill,
	"measure": runMeasure,
	"stats":   runStats,
	"tar":     runTar,
	"wait":    runWait,
}

func main() {
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "rack: this is started by the rack, with a verb")
		os.Exit(2)
	}
	code, err := verbs[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "rack: "+err.Error())
		if code == 0 {
			code = 1
		}
	}
	os.Exit(code)
}
