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
// may never be written. After a minute it prints what it is waiting for.
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
	return list, p.hintOtherFile(strings.TrimPrefix(flag, "--"), err)
}

// hintOtherFile adds to an error of reading an unusable file the hint to name another file.
func (p *Program) hintOtherFile(flag string, err error) error {
	if known, _ := errors.AsType[*exit.Error](err); known != nil && known.Code == exit.Unusable {
		known.Hint = p.Line().With(flag, "FILE").String()
	}
	return err
}

// ReadKey reads the secret key for the first time.
func (p *Program) ReadKey(ctx context.Context, k settings.Key) (sink.KeySource, error) {
	key, err := Await(ctx, p, "the secret key", k.Source)
	return key, p.hintOtherFile("secret-key-file", err)
}

// NewClient returns a client. It fails at once if the configuration cannot work, and sends nothing
// yet, and no call before notBefore.
func (j *Job) NewClient(ctx context.Context, notBefore time.Time) (*sink.Client, error) {
	service, pace := j.Set.Service, j.Set.Pace
	endpoint, err := EndpointOf(service)
	if err != nil {
		return nil, err
	}
	c := sink.Config{
		Endpoint: endpoint, SDKAppID: service.SDKAppID, Identifier: service.Identifier, Key: j.Key,
		SigLifetime: service.SigLifetime, Rate: pace.Rate, StartAfter: notBefore, Workers: pace.Workers,
		Timeout: pace.Timeout, AllowPlainHTTP: service.PlainHTTP, CAFile: service.CAFile,
		UserAgent: "friendmigrate/" + j.Version, Log: clientLog{j.Log},
	}
	if j.Window > 0 { // the wait is not a part of it, or a short one would never send anything
		j.Window += max(0, time.Until(c.StartAfter))
	}
	if service.Rehearse {
		if j.rehearsal, err = startRehearsal(&c, service.RealTime); err != nil {
			return nil, err
		}
	}
	client, err := Await(ctx, j.Program, "--ca-file", func() (*sink.Client, error) { return sink.New(c) })
	if c.CAFile != "" {
		err = j.hintOtherFile("ca-file", err)
	}
	return client, err
}

// EndpointOf returns the endpoint that calls are sent to.
func EndpointOf(s settings.Service) (string, error) {
	if s.Region == "" {
		return s.Endpoint, nil
	}
	endpoint, err := sink.RegionEndpoint(s.Region, s.BackupHost)
	return endpoint, exit.Because(exit.Unusable, err)
}

// EngineOptions returns the options of the engine that the settings ask for.
func (j *Job) EngineOptions(meter *migrate.Meter) migrate.Options {
	pace, retry := j.Set.Pace, migrate.DefaultRetry
	retry.MaxAttempts = pace.MaxAttempts
	return migrate.Options{
		Workers: pace.Workers, Memory: j.Set.Job.Memory / 4, Retry: retry, OutageTimeout: pace.OutageTimeout,
		MaxDuration: j.Window, Since: j.Began, AskService: j.Client.Probe, Clock: j.Client.Clock,
		AnsweredChecks: j.Client.AnsweredChecks, Meter: meter, Event: logEngine(j.Log),
	}
}

// OpenObjects opens the client for object storage if an input is an object. It sends nothing.
func (j *Job) OpenObjects(ctx context.Context, warn func(message string)) error {
	if !slices.ContainsFunc(j.Inputs, objects.IsName) {
		return nil
	}
	c := j.Set.Objects
	c.Env, c.UserAgent, c.Warn = j.Env, "friendmigrate/"+j.Version, warn
	err := settings.CheckProxies(j.Env)
	if err != nil {
		return exit.Because(exit.Unusable, err)
	}
	j.Store, err = Await(ctx, j.Program, "--ca-file", func() (*objects.Store, error) { return objects.New(c) })
	return err
}

// ServeMetrics starts the server that others watch, if --listen is set. It is called after the lock
// is taken, so that a second process on the same state reports the lock, and before anything is
// changed, read or sent.
func (j *Job) ServeMetrics() error {
	set := j.Set.Monitoring
	if set.Listen == "" || j.Server != nil { // verify of several shards takes several locks
		return nil
	}
	server, err := progress.Listen(set.Listen, j.View)
	if err != nil {
		host, _, _ := net.SplitHostPort(set.Listen)
		return Unusable(j.Line().With("listen", net.JoinHostPort(host, "0")), "%w", err)
	}
	j.Server, j.Lingers = server, set.Linger
	j.Log.Info("serving /metrics, /healthz, /readyz and /status on "+ServiceURL(server.Addr()), Event("listen"),
		zap.String("address", server.Addr().String()))
	return nil
}

// ServiceURL returns the URL of the service on this machine.
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

// onState returns another command that works on the same state folder, without inputs.
func (j *Job) onState(command string) exit.CommandLine {
	l := j.As(j.Line(), command, "json").Of()
	if j.Set.Service.Rehearse {
		l = l.With("state", j.Base())
	}
	return l
}

// work returns a run of calls in the form that others watch. fill adds to a snapshot what the
// command counts.
func (j *Job) work(meter *migrate.Meter, fill func(*progress.Snapshot)) progress.Work {
	return progress.Work{Client: j.Client, Meter: meter, Workers: j.Set.Pace.Workers, Timeout: j.Set.Pace.Timeout,
		Unpause: j.onState("pace").Of("resume").String(),
		Fill: func(s *progress.Snapshot) {
			s.Phase = progress.Sending
			fill(s)
		}}
}

// lingerOver is the longest wait for the last scrape after --max-duration. A scheduler kills what
// goes on after its window, and with the pod its message would be lost.
const lingerOver = 5 * time.Second

// Linger keeps serving until the last scrape has had time to come or a signal comes, then stops.
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

// lingers returns how long the server goes on after the end.
func (p *Program) lingers(now time.Time) time.Duration {
	if p.Window == 0 {
		return p.Lingers
	}
	return min(p.Lingers, p.Began.Add(p.Window+lingerOver).Sub(now))
}
