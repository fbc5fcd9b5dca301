# syntax=docker/dockerfile:1
# The program in a small image: built with Rust, run by Debian without it, and never as root.

FROM rust:1.95-slim-bookworm AS build
# A C compiler, for the cryptography library.
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The folders in cache mounts are gone when the step ends, so the program is copied out of them within it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin sotay \
 && install -D target/release/sotay /out/sotay

FROM debian:bookworm-slim
# Certificates, for TLS to a database or a file store elsewhere.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/sotay --shell /usr/sbin/nologin sotay \
 && install -d -o sotay -g sotay -m 0700 /var/lib/sotay
COPY --from=build /out/sotay /usr/local/bin/sotay
COPY deploy/healthcheck.sh /usr/local/bin/healthcheck
ENV SOTAY_MODE=production \
    SOTAY_LISTEN=0.0.0.0:8080 \
    SOTAY_DATA_DIR=/var/lib/sotay \
    SOTAY_LOG_FORMAT=json
USER sotay
WORKDIR /var/lib/sotay
VOLUME /var/lib/sotay
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["sotay"]
CMD ["serve"]
