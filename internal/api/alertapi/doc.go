// Package alertapi answers /api/alerts: what people want to be told about, and
// where. Everybody sees and changes their own; operators also those that were made
// on this machine without an account. Secrets go in and never come out.
package alertapi
