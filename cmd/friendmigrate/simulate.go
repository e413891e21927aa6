package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink/simulator"
)

// simulateDrain is how long calls in flight may take to end after a signal.
const simulateDrain = 10 * time.Second

// recipe is a service that people want to rehearse against.
type recipe struct{ what, flags string }

var recipes = []recipe{
	{"A quiet service with the vendor's limits",
		"--limit 200 --account-limit 100 --latency 80ms --jitter 40ms"},
	{"A throttled night: for an hour a third of the limit, and some calls fail",
		"--limit 200 --limit-changes 2m=60,62m=200 --limit-counts-refused --latency 80ms --jitter 200ms " +
			"--fault-code 30006=0.5%,30008=0.5%,60008=0.2% --fault-http 502=0.5%"},
	{"An outage of five minutes, from the second minute on",
		"--limit 200 --latency 80ms --outage 2m-7m"},
	{"Answers that get lost although the call was done",
		"--limit 200 --latency 80ms --fault-code-applied 30007=1% --fault-reset-applied 1% --fault-stall-applied 0.5%"},
	{"An app without accounts",
		"--limit 200 --account-limit 100 --latency 80ms --missing-accounts-share 100%"},
	{"A trial plan: 100 accounts, 20 friends each",
		"--limit 200 --missing-accounts-share 100% --max-accounts 100 --max-friends 20"},
}

// recipeColumns keep the lines of a recipe whole, so that they can be copied, on a narrow terminal too.
const recipeColumns = 52

func simulateCommand() command {
	text := `Serves a simulated Chat: friend_import, friend_check, friend_get and their sisters with the vendor's
limits and checks, and with faults on request. Prints its URL when it is ready; that is the
--endpoint of an import. GET /_sim/stats and /_sim/graph give its own record as JSON. It keeps
everything in memory and ends at a signal.

Recipes, with any word as the key in the file sim.key, as printf word >sim.key makes it. POST
/_sim/config?FLAG=VALUE changes a flag while it runs.
`
	for _, r := range recipes {
		line := "friendmigrate simulate --sdk-app-id 1400000000 --secret-key-file sim.key " + r.flags
		text += "\n  " + r.what + ":\n    " + strings.Join(terminal.Wrap(line, recipeColumns), " \\\n      ") + "\n"
	}
	return command{
		name: "simulate", flags: settings.Flags, do: (*program).simulateAction,
		usage: "serves a simulated Chat on a port", text: text,
		codes: "0 after a signal; 2 for settings that cannot be used; 1 for anything else",
	}
}

// simulateAction is the command simulate.
func (p *program) simulateAction(ctx context.Context, in invocation) error {
	set := in.Settings
	if err := p.configureApp(ctx, &set); err != nil {
		return exit.Because(exit.Unusable, err)
	}
	listener, err := net.Listen("tcp", set.Listen)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	service := simulator.New(set.Simulator)
	if _, err := fmt.Fprintln(p.Std.Out, job.ServiceURL(listener.Addr())); err != nil {
		return errors.Join(err, listener.Close())
	}
	stop := service.Serve(listener)
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), simulateDrain)
	defer cancel()
	if err := stop(drain); err != nil {
		return err
	}
	s := service.Stats()
	p.ending = &exit.Ending{What: fmt.Sprintf("%v: served %s; %s in the graph", context.Cause(ctx),
		terminal.Some(s.Calls, "call"), terminal.Some(s.GraphEdges, "edge"))}
	return nil
}

// configureApp sets up what the console would.
func (p *program) configureApp(ctx context.Context, set *settings.Settings) error {
	key, err := p.ReadKey(ctx, set.Key)
	if err != nil {
		return err
	}
	secret, err := key()
	if err != nil {
		return err
	}
	config := &set.Simulator
	config.SDKAppID, config.Key, config.Identifier = set.SDKAppID, secret.Reveal(), set.Identifier
	if set.Accounts == "all" {
		return nil
	}
	list, err := p.OpenAccounts(ctx, "--accounts", set.Accounts)
	if err != nil {
		return err
	}
	accounts, err := list.Set(ctx)
	if err != nil {
		return err
	}
	config.Accounts = func(id string) bool {
		_, known := accounts[id]
		return known
	}
	return nil
}
