//! `contract!`: one trait in, and out come the trait, its client over an [`Edge`](crate::Edge) and
//! its dispatcher. Nothing here knows how a call travels.

/// Declares a contract.
///
/// ```ignore
/// contract! {
///     /// Short links.
///     pub trait Links("links") error LinksError {
///         /// Finds where a code leads.
///         query resolve(ResolveLink) -> ResolvedLink;
///         /// Makes a link.
///         command create(CreateLink) -> LinkView;
///     }
/// }
/// ```
///
/// - `query`: changes nothing, so it may be sent again. `command`: is sent again only under an
///   idempotency key.
/// - Requests: `Serialize + DeserializeOwned + Clone + Send + Sync + 'static`. Replies the same
///   without `Clone` and `Sync`. The error also implements `kernel::Coded` and `From<MeshError>`.
/// - Made: `trait Links` (object safe), `LinksClient(Edge)` which implements it, and
///   `LinksServer::new(Arc<dyn Links>)`, which is a [`Dispatch`](crate::Dispatch).
#[macro_export]
macro_rules! contract {
    (
        $(#[$meta:meta])*
        $vis:vis trait $name:ident ($service:literal) error $error:ty {
            $(
                $(#[$method_meta:meta])*
                $kind:ident $method:ident ($request:ty) -> $response:ty;
            )+
        }
    ) => {
        $(#[$meta])*
        #[$crate::private::async_trait]
        $vis trait $name: Send + Sync + 'static {
            $(
                $(#[$method_meta])*
                async fn $method(
                    &self,
                    cx: &$crate::CallCx,
                    request: $request,
                ) -> Result<$response, $error>;
            )+
        }

        $crate::private::paste! {
            #[doc = concat!("Calls `", $service, "` over an edge of the mesh.")]
            #[derive(Clone)]
            $vis struct [<$name Client>](pub $crate::Edge);

            #[doc = concat!("Hands calls of the mesh to an implementation of `", $service, "`.")]
            $vis struct [<$name Server>](::std::sync::Arc<dyn $name>);

            impl [<$name Server>] {
                /// The dispatcher for `service`.
                #[must_use]
                $vis fn new(service: ::std::sync::Arc<dyn $name>) -> ::std::sync::Arc<Self> {
                    ::std::sync::Arc::new(Self(service))
                }

                /// The methods of the contract.
                $vis const METHODS: &'static [$crate::Method] = &[
                    $($crate::contract!(@method $kind $service $method)),+
                ];
            }

            // Written as `async_trait` would write it, because each `async fn` is one more state
            // machine to compile: the edge's future is the same for every method.
            impl $name for [<$name Client>] {
                $(
                    fn $method<'me, 'cx, 'call>(
                        &'me self,
                        cx: &'cx $crate::CallCx,
                        request: $request,
                    ) -> $crate::private::BoxFuture<'call, Result<$response, $error>>
                    where
                        'me: 'call,
                        'cx: 'call,
                        Self: 'call,
                    {
                        static METHOD: $crate::Method =
                            $crate::contract!(@method $kind $service $method);
                        self.0.call(&METHOD, cx, request)
                    }
                )+
            }

            impl $crate::Dispatch for [<$name Server>] {
                fn service(&self) -> &'static str {
                    $service
                }

                fn methods(&self) -> &'static [$crate::Method] {
                    Self::METHODS
                }

                fn dispatch(
                    &self,
                    call: $crate::Call,
                ) -> $crate::private::BoxFuture<'static, $crate::Reply> {
                    let service = ::std::sync::Arc::clone(&self.0);
                    let $crate::Call { method, cx, body } = call;
                    let form = body.form();
                    ::std::boxed::Box::pin(async move {
                        match method.name {
                            $(
                                stringify!($method) => {
                                    let request = body.open::<$request>($service)?;
                                    let answer = service.$method(&cx, request).await;
                                    $crate::reply(answer, $service, form)
                                }
                            )+
                            other => {
                                let known = Self::METHODS;
                                Err($crate::unknown_method($service, other, known).into())
                            }
                        }
                    })
                }
            }
        }
    };
    (@method $kind:ident $service:literal $method:ident) => {
        $crate::Method {
            service: $service,
            name: stringify!($method),
            path: concat!("/rpc/", $service, "/", stringify!($method)),
            span: concat!($service, ".", stringify!($method)),
            idempotent: $crate::contract!(@idempotent $kind),
        }
    };
    (@idempotent query) => { true };
    (@idempotent command) => { false };
}
