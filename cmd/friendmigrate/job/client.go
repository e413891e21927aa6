package job

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
	"friendmigrate/source/objects"
)

// Await runs f, which reads something that the settings name, until a signal comes: a named pipe
// may never be written. After a minute it says what it waits for.
func Await[T any](ctx context.Context, p *Program, what string, f func() (T, error)) (T, error) {
	defer time.AfterFunc(progress.WarnAfter,
		func() { p.Screen.Line("warning: still waiting for " + what) }).Stop()
	v, err := disk.Wait(ctx, f)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("stopped by %w while reading %s; nothing was sent by this run", cause, what)
		return v, &exit.Error{Code: exit.Unfinished, Err: err}
	}
	return v, exit.Because(exit.Unusable, err)
}

// OpenAccounts reads the list of accounts that a flag names.
func (p *Program) OpenAccounts(ctx context.Context, flag, name string) (*accountlist.File, error) {
	list, err := Await(ctx, p, flag, func() (*accountlist.File, error) {
		list, err := accountlist.Open(name, p.Std.In)
		if err != nil {
			err = fmt.Errorf("read %s: %w", flag, err)
		}
		return list, err
	})
	if wrong, _ := errors.AsType[*source.InputError](err); wrong != nil && wrong.Fix != nil {
		return list, err
	}
	return list, p.another(strings.TrimPrefix(flag, "--"), err)
}

// another gives an error of reading a file that cannot be used the hint to name another one.
func (p *Program) another(flag string, err error) error {
	if known, _ := errors.AsType[*exit.Error](err); known != nil && known.Code == exit.Unusable {
		known.Hint = p.Line().With(flag, "FILE").String()
	}
	return err
}

// ReadKey reads the secret key for the first time.
func (p *Program) ReadKey(ctx context.Context, k settings.Key) (sink.KeySource, error) {
	key, err := Await(ctx, p, "the secret key", k.Source)
	return key, p.another("secret-key-file", err)
}

// NewClient makes a client for a command that asks. It sends nothing yet.
func (p *Program) NewClient(
	ctx context.Context, s settings.Service, pace settings.Pace, key sink.KeySource, after time.Time, log *zap.Logger,
) (*sink.Client, error) {
	config, err := p.ClientConfig(s, pace, key, after, log)
	if err != nil {
		return nil, err
	}
	return p.ClientOf(ctx, config)
}

// ClientOf makes a client of a configuration.
func (p *Program) ClientOf(ctx context.Context, c sink.Config) (*sink.Client, error) {
	client, err := Await(ctx, p, "--ca-file", func() (*sink.Client, error) { return sink.New(c) })
	if c.CAFile != "" {
		err = p.another("ca-file", err)
	}
	return client, err
}

// ClientConfig is what the settings say about calls: no call leaves before after, if they are paced
// at all.
func (p *Program) ClientConfig(
	s settings.Service, pace settings.Pace, key sink.KeySource, after time.Time, log *zap.Logger,
) (sink.Config, error) {
	endpoint, err := EndpointOf(s)
	if pace.Rate >= sink.Unpaced {
		after = time.Time{}
	}
	return sink.Config{
		Endpoint: endpoint, SDKAppID: s.SDKAppID, Identifier: s.Identifier, Key: key, SigLifetime: s.SigLifetime,
		Rate: pace.Rate, StartAfter: after, Workers: pace.Workers, Timeout: pace.Timeout,
		AllowPlainHTTP: s.PlainHTTP, CAFile: s.CAFile, UserAgent: "friendmigrate/" + p.Version, Log: clientLog{log},
	}, err
}

// EndpointOf is where calls go.
func EndpointOf(s settings.Service) (string, error) {
	if s.Region == "" {
		return s.Endpoint, nil
	}
	endpoint, err := sink.RegionEndpoint(s.Region, s.BackupHost)
	return endpoint, exit.Because(exit.Unusable, err)
}

// Engine is how the engine is to be used for asking.
func (p *Program) Engine(
	pace settings.Pace, memory int64, c *sink.Client, meter *migrate.Meter, log *zap.Logger,
) migrate.Options {
	retry := migrate.DefaultRetry
	retry.MaxAttempts = pace.MaxAttempts
	return migrate.Options{
		Workers: pace.Workers, Memory: memory, Retry: retry, OutageTimeout: pace.OutageTimeout,
		MaxDuration: p.Window, Since: p.Began, Probe: c.Probe, Clock: c.Clock, Meter: meter, Event: logEngine(log),
	}
}

// OpenObjects makes the client for inputs that are objects; nil where none is. It sends nothing.
func (p *Program) OpenObjects(
	ctx context.Context, c objects.Config, inputs []string, warn func(message string),
) (*objects.Store, error) {
	if !slices.ContainsFunc(inputs, objects.IsName) {
		return nil, nil
	}
	c.Env, c.UserAgent, c.Warn = p.Env, "friendmigrate/"+p.Version, warn
	if err := settings.CheckProxies(p.Env); err != nil {
		return nil, exit.Because(exit.Unusable, err)
	}
	return Await(ctx, p, "--ca-file", func() (*objects.Store, error) { return objects.New(c) })
}

// ServeMetrics lets others watch, where that is asked for. It comes after the lock, so that a
// second process on the same state is told that, and before anything is changed, read or sent.
func (p *Program) ServeMetrics(set settings.Eyes, log *zap.Logger) error {
	if set.Listen == "" || p.Server != nil { // a verify of several shards takes several locks
		return nil
	}
	server, err := progress.Listen(set.Listen, p.View)
	if err != nil {
		host, _, _ := net.SplitHostPort(set.Listen)
		hint := p.Line().With("listen", net.JoinHostPort(host, "0"))
		return &exit.Error{Code: exit.Unusable, Err: err, Hint: hint.String()}
	}
	p.Server, p.Lingers = server, set.Linger
	log.Info("serving /metrics, /healthz, /readyz and /status on "+ServiceURL(server.Addr()), EventListen,
		zap.String("address", server.Addr().String()))
	return nil
}

// ServiceURL is where the service is reached from this machine.
func ServiceURL(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "http://" + a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// WorkOf is a run of calls as others watch it. fill says what the command knows of it.
func WorkOf(c *sink.Client, m *migrate.Meter, pace settings.Pace, fill func(*progress.Snapshot)) progress.Work {
	return progress.Work{Client: c, Meter: m, Workers: pace.Workers, Timeout: pace.Timeout,
		Fill: func(s *progress.Snapshot) {
			s.Phase = progress.Sending
			fill(s)
		}}
}

// lingerOver is how long after --max-duration the last scrape is waited for at the most. A
// scheduler ends what goes on after its window, and with the pod its message would be gone.
const lingerOver = 5 * time.Second

// Linger goes on serving for the last scrape, unless a signal has come or comes, and stops.
func (p *Program) Linger(ctx context.Context) {
	if p.Server == nil {
		return
	}
	if linger := p.lingers(time.Now()); linger > 0 && ctx.Err() == nil {
		enough := time.NewTimer(linger)
		defer enough.Stop()
		select {
		case <-ctx.Done():
		case <-enough.C:
		}
	}
	p.Server.Close()
}

// lingers is how long it goes on serving after the end.
func (p *Program) lingers(now time.Time) time.Duration {
	if p.Window == 0 {
		return p.Lingers
	}
	return min(p.Lingers, p.Began.Add(p.Window+lingerOver).Sub(now))
}
