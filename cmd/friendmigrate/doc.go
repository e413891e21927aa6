// Command friendmigrate moves a social graph into Tencent Chat by its friend_import API.
//
// This package is the operator's surface: flags and variables in, lists, a report, an exit code and
// one last line out. It wires the packages of the program together and decides the order of the
// durable steps (prepare.go says what a crash between two of them means). The life of a job that
// commands share is in package job. What both promise: nothing is sent before settings, state and
// input have been found sound; every ending writes the lists and the report; the last line on
// standard error says what happened and what to run next; where that is asked for, others may watch
// and read how it ended (progress); nothing secret is ever printed or written. What
// they never do: decide on an answer of the service (sink does), or on what an outcome leads to
// (migrate does).
package main
