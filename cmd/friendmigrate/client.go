package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/accounts"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// await runs f, which reads something that the settings name, until a signal comes: a named pipe may never be written.
// After a minute it says what it waits for.
func await[T any](ctx context.Context, p *program, what string, f func() (T, error)) (T, error) {
	defer time.AfterFunc(progress.StandstillAfter, func() { p.screen.Line("warning: still waiting for " + what) }).Stop()
	v, err := disk.Wait(ctx, f)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return v, &exit.Error{Code: exit.Unfinished, Err: fmt.Errorf("stopped by %w while reading %s; nothing was sent by this run", cause, what)}
	}
	return v, exit.Because(exit.Unusable, err)
}

// openAccounts reads the list of accounts that a flag names.
func (p *program) openAccounts(ctx context.Context, flag, name string) (*accounts.File, error) {
	list, err := await(ctx, p, flag, func() (*accounts.File, error) {
		list, err := accounts.Open(name, p.std.in)
		if err != nil {
			err = fmt.Errorf("read %s: %w", flag, err)
		}
		return list, err
	})
	var known *exit.Error
	if wrong, _ := errors.AsType[*source.InputError](err); errors.As(err, &known) && (wrong == nil || wrong.Fix == nil) {
		known.Hint = currentLine(p.args).With(strings.TrimPrefix(flag, "--"), "FILE").String()
	}
	return list, err
}

// readKey reads the secret key for the first time.
func (p *program) readKey(ctx context.Context, k settings.Key) (sink.KeySource, error) {
	return await(ctx, p, "the secret key", k.Source)
}

// newClient makes a client for a command that asks. It sends nothing yet.
func (p *program) newClient(
	ctx context.Context, s settings.Service, pace settings.Pace, key sink.KeySource, after time.Time, log *zap.Logger,
) (*sink.Client, error) {
	config, err := clientConfig(s, pace, key, after, log)
	if err != nil {
		return nil, err
	}
	return await(ctx, p, "--ca-file", func() (*sink.Client, error) { return sink.New(config) })
}

// clientConfig is what the settings say about calls: no call leaves before after, if they are paced at all.
func clientConfig(s settings.Service, p settings.Pace, key sink.KeySource, after time.Time, log *zap.Logger) (sink.Config, error) {
	endpoint, err := endpointOf(s)
	if p.Rate >= sink.Unpaced {
		after = time.Time{}
	}
	return sink.Config{
		Endpoint: endpoint, SDKAppID: s.SDKAppID, Identifier: s.Identifier, Key: key, SigLifetime: s.SigLifetime, Rate: p.Rate, StartAfter: after,
		Workers: p.Workers, Timeout: p.Timeout, AllowPlainHTTP: s.PlainHTTP, CAFile: s.CAFile, UserAgent: "friendmigrate/" + programVersion(), Log: events.Of(log),
	}, err
}

// endpointOf is where calls go.
func endpointOf(s settings.Service) (string, error) {
	if s.Region == "" {
		return s.Endpoint, nil
	}
	endpoint, err := sink.RegionEndpoint(s.Region, s.BackupHost)
	return endpoint, exit.Because(exit.Unusable, err)
}

// engineOf is how the engine is to be used for asking.
func engineOf(p settings.Pace, memory int64, maxDuration time.Duration, c *sink.Client, meter *migrate.Meter, log *zap.Logger) migrate.Options {
	retry := migrate.DefaultRetry
	retry.MaxAttempts = p.MaxAttempts
	return migrate.Options{
		Workers: p.Workers, Memory: memory, Retry: retry, OutageTimeout: p.OutageTimeout, MaxDuration: maxDuration,
		Probe: c.Probe, Meter: meter, Event: events.Engine(log),
	}
}
