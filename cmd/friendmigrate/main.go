package main

import (
	"io"
	"log"
	"os"
	"strings"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
)

func main() {
	log.SetOutput(io.Discard) // net/http tells the standard logger what a service sends without being asked, which may repeat a signature
	env := environment(os.Environ())
	code := supervise(os.Args, job.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, env)
	os.Exit(exit.Code(code).Status(env))
}

// environment makes a map of KEY=VALUE words.
func environment(words []string) map[string]string {
	env := make(map[string]string, len(words))
	for _, word := range words {
		if key, value, ok := strings.Cut(word, "="); ok {
			env[key] = value
		}
	}
	return env
}
