# The image: one static binary and the CA certificates. It runs as a user without a name, needs no capability, no writable root and no /tmp:
#
#   docker build --build-arg VERSION=1.0.0 --tag friendmigrate:1.0.0 .
#   docker run --rm --read-only --cap-drop ALL --volume friends:/data friendmigrate:1.0.0 import --rehearse /data/friends.csv
#
# A job writes nothing but its state folder, so /data (or --state) is the one place that has to be a volume; it belongs to user 65532 in the image, and a
# new named volume takes that over. A host folder must be writable for that user.
#
# Nothing of the build's time, place or history is in the binary. With a time for the files and the record of the build (podman: --timestamp; buildx:
# SOURCE_DATE_EPOCH and rewrite-timestamp) the same sources and base images give the same digest.

ARG GO_IMAGE=golang:1.26-bookworm
ARG RUN_IMAGE=scratch

# The builder runs on the machine's own platform and compiles for the one that was asked for.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /out/friendmigrate ./cmd/friendmigrate \
 && cp -L /etc/ssl/certs/ca-certificates.crt /out/ && chmod 0755 /out/friendmigrate && chmod 0644 /out/ca-certificates.crt && mkdir -m 0755 /out/data

FROM ${RUN_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="friendmigrate" \
      org.opencontainers.image.description="Moves friend edges into Tencent Chat, and proves what became of each" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/friendmigrate /usr/local/bin/
COPY --from=build --chown=65532:65532 /out/data /data
# There is no /tmp: what export and long lists of failures keep aside goes to the volume.
ENV TMPDIR=/data
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/friendmigrate"]
