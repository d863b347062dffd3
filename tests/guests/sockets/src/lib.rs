//! An adapter that wants a socket of its own. It is never loaded.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:sockets;
        world adapter {
            include witgate:adapter/adapter-unary@0.1.0;
            import wasi:sockets/tcp-create-socket@0.2.9;
        }
        package wasi:sockets@0.2.9 {
            interface tcp-create-socket {
                create-tcp-socket: func() -> u32;
            }
        }
    ",
    world: "test:sockets/adapter",
    generate_all,
});

use exports::witgate::adapter::{meta, transform};
use witgate::adapter::types::{Context, Failure, Resumption, Step};

struct Sockets;
export!(Sockets);

impl meta::Guest for Sockets {
    fn describe() -> String {
        r#"{"name": "sockets", "version": "1.0.0", "operations": ["chat.completions"]}"#.into()
    }
}

impl transform::Guest for Sockets {
    fn transform_request(_: Context, _: String) -> Result<Step, Failure> {
        Ok(Step::Done(
            wasi::sockets::tcp_create_socket::create_tcp_socket().to_string(),
        ))
    }

    fn transform_response(_: Context, _: Resumption) -> Result<Step, Failure> {
        Ok(Step::End(vec![]))
    }
}
