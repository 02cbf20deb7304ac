# foster as an image: the one static binary, and nothing else. Copy it from there into yours:
#   COPY --from=foster /foster /foster
# BASE builds it: Debian, Alpine, or any image that has make, g++ and musl already, for a place without a network.
ARG BASE=debian:12
FROM ${BASE} AS build
RUN if ! { command -v make && command -v g++ && { command -v musl-gcc || g++ -dumpmachine | grep -q musl; }; } \
      >/dev/null; then \
      if command -v apk >/dev/null; then apk add --no-cache g++ make linux-headers; \
      else apt-get update && apt-get install -y --no-install-recommends g++ make musl-tools; fi; fi
WORKDIR /build
# What --version names: the image has no .git. docker build --build-arg COMMIT=$(git rev-parse --short=7 HEAD) .
ARG COMMIT=
COPY LICENSE Makefile ./
COPY src src
RUN make ${COMMIT:+COMMIT="$COMMIT"}

FROM scratch
COPY --from=build /build/build/foster /foster
ENTRYPOINT ["/foster", "--"]
