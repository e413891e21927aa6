// Package events makes the log of a command. Every entry has a stable name, which programs may rely
// on; its message is for people and may change.
package events

import (
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
)

// Log makes the log.
func Log(o settings.Output, to *terminal.Screen) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(o.LogLevel)
	if err != nil {
		return nil, err
	}
	log := zap.New(zapcore.NewCore(encoder(Plain(o, to)), to, level))
	for _, w := range o.Warnings {
		log.Warn(w, Settings)
	}
	return log, nil
}

// Plain reports whether log lines are for people.
func Plain(o settings.Output, to *terminal.Screen) bool {
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

// quiet leaves out of lines for people what is for programs: their messages say it in words. Errors
// stay, and so does everything at debug level.
type quiet struct{ zapcore.Encoder }

func (q quiet) Clone() zapcore.Encoder { return quiet{q.Encoder.Clone()} }

func (q quiet) EncodeEntry(e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	kept := make([]zapcore.Field, 0, len(fields))
	for _, f := range fields {
		if f.Type == zapcore.ErrorType || e.Level == zapcore.DebugLevel && f.Key != key {
			kept = append(kept, f)
		}
	}
	return q.Encoder.EncodeEntry(e, kept)
}

// Sink lets the client speak into a log.
type Sink struct{ log *zap.SugaredLogger }

// Of is the Sink of a log.
func Of(log *zap.Logger) Sink { return Sink{log.Sugar()} }

// Debug logs a message at debug level.
func (l Sink) Debug(msg string, keysAndValues ...any) {
	l.log.Debugw(msg, append([]any{Client}, keysAndValues...)...)
}

// Warn logs a message as a warning.
func (l Sink) Warn(msg string, keysAndValues ...any) {
	l.log.Warnw(msg, append([]any{Client}, keysAndValues...)...)
}

// Warner logs messages as warnings of one kind.
func Warner(log *zap.Logger, event zap.Field) func(message string) {
	return func(message string) { log.Warn(message, event) }
}

// Engine logs what the engine tells. Events that come with every other call are for the debug
// level.
func Engine(log *zap.Logger) func(migrate.Event) {
	return func(e migrate.Event) {
		fields := []zap.Field{zap.String(key, e.Name)}
		if e.Code != 0 {
			fields = append(fields, zap.Int("code", e.Code))
		}
		if e.N != 0 {
			fields = append(fields, zap.Int("edges", e.N))
		}
		switch e.Name {
		case Hold.String:
			log.Warn("nothing gets through, so sending is held; it is tried again by itself. The last answer: "+e.Text,
				fields...)
		case HoldEnd.String:
			log.Info("calls get through again; going on", fields...)
		default:
			log.Debug(e.Text, fields...)
		}
	}
}
