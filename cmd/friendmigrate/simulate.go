package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink/simulator"
)

// simulateDrain is how long calls in flight may take to end after a signal.
const simulateDrain = 10 * time.Second

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
