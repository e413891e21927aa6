package main

import (
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/cmd/friendmigrate/settings"
)

// newLog makes the log. Every entry has a stable name under "event" (events.go lists them); its message is for people and may change.
func newLog(o settings.Output, to *screen.Screen) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(o.LogLevel)
	if err != nil {
		return nil, err
	}
	log := zap.New(zapcore.NewCore(encoder(plain(o, to)), to, level))
	for _, w := range o.Warnings {
		log.Warn(w, event(eventSettings))
	}
	return log, nil
}

// plain reports whether log lines are for people.
func plain(o settings.Output, to *screen.Screen) bool {
	return o.LogFormat == "console" || o.LogFormat == "auto" && to.Terminal()
}

func encoder(plain bool) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "time"
	if plain {
		c.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		c.EncodeLevel = zapcore.CapitalLevelEncoder
		c.ConsoleSeparator = " "
		return quiet{zapcore.NewConsoleEncoder(c)}
	}
	c.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return zapcore.NewJSONEncoder(c)
}

// quiet leaves out of lines for people what is for programs: their messages say it in words. Errors stay, and so does everything at debug level.
type quiet struct{ zapcore.Encoder }

func (q quiet) Clone() zapcore.Encoder { return quiet{q.Encoder.Clone()} }

func (q quiet) EncodeEntry(e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	kept := make([]zapcore.Field, 0, len(fields))
	for _, f := range fields {
		if f.Type == zapcore.ErrorType || e.Level == zapcore.DebugLevel && f.Key != eventKey {
			kept = append(kept, f)
		}
	}
	return q.Encoder.EncodeEntry(e, kept)
}

const eventKey = "event"

// event names an entry for programs.
func event(name eventName) zap.Field { return zap.String(eventKey, string(name)) }

// sinkLog lets the client speak into the log.
type sinkLog struct{ log *zap.SugaredLogger }

func (l sinkLog) Debug(msg string, keysAndValues ...any) {
	l.log.Debugw(msg, append([]any{eventKey, string(eventClient)}, keysAndValues...)...)
}

func (l sinkLog) Warn(msg string, keysAndValues ...any) {
	l.log.Warnw(msg, append([]any{eventKey, string(eventClient)}, keysAndValues...)...)
}

// warnOfWaiting logs what reading waits for.
func warnOfWaiting(log *zap.Logger) func(message string) {
	return func(message string) { log.Warn(message, event(eventWaits)) }
}

// warnOfStandstill logs what a run of calls waits for that does not get on.
func warnOfStandstill(log *zap.Logger, still *progress.Standstill, s progress.Snapshot) {
	if message := still.Look(s); message != "" {
		warnOfWaiting(log)(message)
	}
}
